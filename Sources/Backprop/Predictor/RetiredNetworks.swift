import CPlatform

/// Networks that were replaced where their last runs could not be waited for: in a callback of a run, or if the system
/// refuses it. The next call that can wait frees them. `cp_lock` guards the list.
enum RetiredNetworks {
    nonisolated(unsafe) private static var first: FoldedNetwork?

    static var isEmpty: Bool {
        cp_lock()
        defer { cp_unlock() }
        return first == nil
    }

    /// Waits until the runs have returned that use the networks of the list, or `network`, which is not published any more.
    /// Then the list is freed, and the caller can free `network`. Returns false if that was not possible; the list then
    /// keeps `network`, too.
    @discardableResult
    static func wait(for network: FoldedNetwork?) -> Bool {
        cp_lock()
        var list = first
        first = nil
        cp_unlock()
        if let network { (network.next, list) = (list, network) }
        if cp_wait_for_readers() {
            network?.next = nil
            return true
        }
        guard let list else { return false }
        var last = list
        while let next = last.next { last = next }
        cp_lock()
        defer { cp_unlock() }
        (last.next, first) = (first, list)
        return false
    }
}
