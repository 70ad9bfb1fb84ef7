import CPlatform

/// Activations of the host in the order of registration. The list owns the first one, and each owns the next.
struct PluginList {
    private(set) var first: ActivationPlugin?

    func find(_ name: String) -> ActivationPlugin? {
        var plugin = first
        while let each = plugin, !each.name.isSame(as: name) { plugin = each.next }
        return plugin
    }

    func at(_ index: Int) -> ActivationPlugin? {
        var plugin = first
        var left = index
        while let each = plugin, left > 0 {
            plugin = each.next
            left -= 1
        }
        return plugin
    }

    mutating func append(_ plugin: ActivationPlugin) {
        guard var last = first else {
            first = plugin
            return
        }
        while let next = last.next { last = next }
        last.next = plugin
    }

    mutating func removeFirst() -> ActivationPlugin? {
        guard let found = first else { return nil }
        first = found.next
        found.next = nil
        return found
    }

    mutating func remove(_ name: String) -> ActivationPlugin? {
        guard var previous = first, !previous.name.isSame(as: name) else { return removeFirst() }
        while let each = previous.next {
            if each.name.isSame(as: name) {
                previous.next = each.next
                each.next = nil
                return each
            }
            previous = each
        }
        return nil
    }
}
