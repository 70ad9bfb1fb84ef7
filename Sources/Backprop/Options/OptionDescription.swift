/// A setting that is a number; choices are small integers. The header's tables of options are printed from these.
public struct OptionDescription: Sendable {
    public enum Owner: UInt32, Sendable {
        case network, trainer
    }

    public let owner: Owner
    package let nameText, meaningText: StaticString
    /// The words of 0, 1, 2 …, with one space between two; nil for what is no choice.
    package let choicesText: StaticString?
    public let standard, low, high: Double
    /// Whether only whole numbers are taken.
    public let isWhole: Bool

    public var name: String { Self.string(nameText) }
    public var meaning: String { Self.string(meaningText) }

    /// What the values 0, 1, 2 … of a choice are called; none for other options.
    public var choices: [String] { choicesText.map { Self.words($0) } ?? [] }

    /// Every option there is, the network's first.
    public static var all: [OptionDescription] {
        NetworkOption.allCases.map { $0.description } + TrainerOption.allCases.map { $0.description }
    }

    package static func at(_ index: Int) throws(BackpropError) -> OptionDescription {
        let all = all
        guard index >= 0, index < all.count else {
            throw BackpropError(.unknownName, "option index \(UInt(bitPattern: index)) is out of range: there are \(all.count)")
        }
        return all[index]
    }

    /// The error for an option that the owner does not have; the other may have it, or one of a similar name.
    @inline(never)
    static func unknown(_ name: String, _ owner: Owner) -> BackpropError {
        var suggestion = Suggestion(for: name)
        let options = all
        for option in options where option.owner == owner { suggestion.consider(option.name) }
        suggestion.consider(synonyms: functions)
        for option in options where option.owner != owner { suggestion.consider(option.name) }
        suggestion.consider(synonyms: synonyms)
        let noun = { (owner: Owner) -> StaticString in owner == .network ? "network" : "trainer" }
        var text: Text = "no option of a \(noun(owner)) is named \"\(name)\": "
        if let found = suggestion.found, found.starts(with: "bp_") {
            text += "call \(found). "
        } else if let found = suggestion.found, let option = options.first(where: { $0.name.isSame(as: found) }) {
            text +=
                option.owner == owner ? "did you mean \"\(found)\"? " : "\"\(found)\" is an option of a \(noun(option.owner)). "
        }
        return BackpropError(.unknownName, text + "bp_option_info lists all")
    }

    /// Settings of a network that are not options.
    private static var functions: StaticString {
        """
        activation=bp_network_set_activation batchnorm=bp_network_set_batchnorm dropout=bp_network_set_dropout
        batchnormalization=bp_network_set_batchnorm loss=bp_network_set_loss optimizer=bp_network_set_optimizer
        scaling=bp_network_fit_scaling seed=bp_network_initialize
        """
    }

    private static var synonyms: StaticString {
        """
        lr=learning_rate eta=learning_rate stepsize=learning_rate learningrateinit=learning_rate nepochs=epochs
        numepochs=epochs maxiter=epochs iterations=steps maxsteps=steps minibatchsize=batch_size shuffle=sampling
        randomstate=seed randomseed=seed validationsplit=validation_fraction earlystopping=patience niternochange=patience
        tol=min_delta mindelta=min_delta timeout=time_limit warmup=warmup_steps lrdecay=decay_factor gamma=decay_factor
        reduction=gradient_reduction l2=weight_decay l2regularization=weight_decay rho=rmsprop_alpha eps=epsilon
        gradclip=clip_norm maxgradnorm=clip_norm batchnormeps=batchnorm_epsilon initializer=initialization
        delta=huber_delta tau=quantile alpha=quantile ignorenan=missing_targets
        """
    }

    /// NaN fails both comparisons, and so is refused.
    package func require(_ value: Double) throws(BackpropError) {
        guard value >= low, value <= high, !isWhole || value == value.rounded(.down) else {
            let kind: StaticString = isWhole ? "an integer" : "a number"
            let range: Text = choicesText.map { Self.numbered($0) } ?? "\(kind) from \(decimal(low)) to \(decimal(high))"
            throw BackpropError(.invalidValue, "option \"\(name)\" must be \(range), not \(decimal(value))")
        }
    }

    /// The words of a choice with their numbers: "0 (fail) or 1 (recover)".
    private static func numbered(_ text: StaticString) -> Text {
        let words = words(text)
        var list: Text = ""
        for (index, word) in words.enumerated() {
            list += "\(index == 0 ? "" : index == words.count - 1 ? " or " : ", ")\(index) (\(word))"
        }
        return list
    }

    /// How many words there are.
    static func wordCount(_ text: StaticString) -> Int {
        UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount).reduce(1) { $0 + ($1 == 0x20 ? 1 : 0) }
    }

    private static func words(_ text: StaticString) -> [String] {
        UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount).split(separator: 0x20)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    private static func string(_ text: StaticString) -> String {
        String(cString: UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self))
    }
}
