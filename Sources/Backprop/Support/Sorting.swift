/// The indices 0 ..< count, sorted by `precedes`. Heap sort: n log n steps for any file, and little code.
func sortedIndices(of count: Int, _ precedes: (Int, Int) -> Bool) -> [Int] {
    var heap = Array(0..<count)

    /// Restores the heap property of the first `size` elements below `start`.
    func sink(_ start: Int, _ size: Int) {
        var root = start
        while 2 * root + 1 < size {
            var child = 2 * root + 1
            if child + 1 < size, precedes(heap[child], heap[child + 1]) { child += 1 }
            guard precedes(heap[root], heap[child]) else { return }
            heap.swapAt(root, child)
            root = child
        }
    }

    for root in stride(from: count / 2 - 1, through: 0, by: -1) { sink(root, count) }
    for size in stride(from: count - 1, to: 0, by: -1) {
        heap.swapAt(0, size)
        sink(0, size)
    }
    return heap
}

/// Binary search in `count` sorted elements: the first index for which `precedes` is false, if `isSame` is true for it;
/// otherwise nil.
func binarySearch(_ count: Int, _ precedes: (Int) -> Bool, _ isSame: (Int) -> Bool) -> Int? {
    var low = 0
    var high = count
    while low < high {
        let middle = (low + high) / 2
        if precedes(middle) { low = middle + 1 } else { high = middle }
    }
    return low < count && isSame(low) ? low : nil
}
