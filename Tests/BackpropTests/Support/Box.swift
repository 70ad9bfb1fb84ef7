import Foundation

/// A value behind a lock, for callbacks and threads.
final class Box<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var stored: Value

    init(_ value: Value) { stored = value }

    var value: Value {
        lock.lock()
        defer { lock.unlock() }
        return stored
    }

    func change(_ body: (inout Value) -> Void) {
        lock.lock()
        defer { lock.unlock() }
        body(&stored)
    }
}

/// Runs `body` on `count` threads at the same time and returns the errors that they threw.
func onThreads(_ count: Int, _ body: @escaping @Sendable (_ index: Int) throws -> Void) -> [any Error] {
    let errors = Box<[any Error]>([])
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread.detachNewThread {
            do { try body(index) } catch { errors.change { $0.append(error) } }
            group.leave()
        }
    }
    group.wait()
    return errors.value
}
