import CPlatform

/// Plug-ins of the host in the order of registration. The list owns the first one, and each owns the next.
struct PluginList {
    private(set) var first: Plugin?

    func find(_ name: String, _ subject: Plugin.Subject) -> Plugin? {
        var plugin = first
        while let each = plugin, !each.isNamed(name, subject) { plugin = each.next }
        return plugin
    }

    func at(_ index: Int, _ subject: Plugin.Subject) -> Plugin? {
        var plugin = first
        var left = index
        while let each = plugin {
            if each.subject == subject {
                if left == 0 { return each }
                left -= 1
            }
            plugin = each.next
        }
        return nil
    }

    mutating func append(_ plugin: Plugin) {
        guard var last = first else {
            first = plugin
            return
        }
        while let next = last.next { last = next }
        last.next = plugin
    }

    mutating func removeFirst() -> Plugin? {
        guard let found = first else { return nil }
        first = found.next
        found.next = nil
        return found
    }

    mutating func remove(_ name: String, _ subject: Plugin.Subject) -> Plugin? {
        guard var previous = first, !previous.isNamed(name, subject) else { return removeFirst() }
        while let each = previous.next {
            if each.isNamed(name, subject) {
                previous.next = each.next
                each.next = nil
                return each
            }
            previous = each
        }
        return nil
    }
}
