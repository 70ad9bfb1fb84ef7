import Backprop

/// A table of texts for people: the first column is aligned to the left, the others to the right if they are numbers.
struct TextTable {
    private let areNumbers: Bool
    private var rows: [[Bytes]] = []

    init(areNumbers: Bool = true) { self.areNumbers = areNumbers }

    mutating func add(_ cells: [Text]) { rows.append(cells.map { $0.bytes.printable }) }

    var text: Text {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.width)
            }
        }
        var lines: Bytes = []
        for row in rows {
            var line: Bytes = []
            for (column, cell) in row.enumerated() {
                let space = Bytes(repeating: 0x20, count: widths[column] - cell.width)
                line += (column == 0 ? [] : [0x20, 0x20]) + (areNumbers && column > 0 ? space + cell : cell + space)
            }
            while line.last == 0x20 { line.removeLast() }
            lines += line + [0x0A]
        }
        return Text(lines)
    }
}
