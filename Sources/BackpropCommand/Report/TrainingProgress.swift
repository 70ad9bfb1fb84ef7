import Backprop
import CConsole

/// Receives the reports of a fit: shows them on standard error, keeps the losses, and stops the fit after a signal.
final class TrainingProgress: @unchecked Sendable {
    private let restarts: Int
    private let isQuiet: Bool
    /// The columns of the terminal; 0: whole lines are written, fewer with time.
    private let width = Int(con_terminal_width(2))
    private let hasBlocks = con_is_utf8()
    private let start = con_seconds()
    private var lastDrawn = -1.0
    /// The latest line, while the cursor is on it.
    private var isOnLine = false
    private var histories: [Int: History] = [:]

    init(restarts: Int, isQuiet: Bool) {
        self.restarts = restarts
        self.isQuiet = isQuiet
    }

    func receive(_ progress: Progress) -> Progress.Answer {
        if progress.isEpochEnd {
            histories[progress.restart, default: History()].add(
                epoch: progress.epoch, loss: progress.loss, validationLoss: progress.validationLoss)
        }
        if !isQuiet { show(progress) }
        return con_caught_signal() == 0 ? .goOn : .stop
    }

    func history(of restart: Int) -> History { histories[restart] ?? History() }

    /// Ends the line of the terminal.
    func end() {
        if isOnLine { writeError("\n") }
        isOnLine = false
    }

    private func show(_ progress: Progress) {
        guard width > 0 else {
            if progress.isEpochEnd, Self.isShown(progress.epoch) || progress.epoch == progress.epochs {
                writeError(line(progress) + "\n")
            }
            return
        }
        let now = con_seconds()
        guard now - lastDrawn >= 0.05 || progress.step == progress.steps else { return }
        lastDrawn = now
        var text = line(progress)
        if hasBlocks { text += "  " + sparkline(histories[progress.restart]?.curve ?? [], width: 24) }
        text += "  \(fixed(now - start, decimals: 0)) s"
        writeError("\r\(Text(cut(text.bytes, to: width - 1)))\u{1B}[K")
        isOnLine = true
    }

    private func line(_ progress: Progress) -> Text {
        var text: Text = ""
        if restarts > 1 { text += "start \(progress.restart + 1)/\(restarts)  " }
        text += "epoch \(progress.epoch)/\(progress.epochs)  loss \(short(progress.loss))"
        if !progress.validationLoss.isNaN { text += "  validation \(short(progress.validationLoss))" }
        return text
    }

    /// Epochs 1, 2, 5, 10, 20, 50 and so on.
    private static func isShown(_ epoch: Int) -> Bool {
        var rest = epoch
        while rest >= 10, rest % 10 == 0 { rest /= 10 }
        return rest == 1 || rest == 2 || rest == 5
    }

    private func cut(_ text: Bytes, to width: Int) -> Bytes {
        var shown: Bytes = [], count = 0
        for byte in text {
            if byte & 0xC0 != 0x80 { count += 1 }
            if count > width { break }
            shown.append(byte)
        }
        return shown
    }
}
