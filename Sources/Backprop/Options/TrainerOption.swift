/// The options of a trainer.
enum TrainerOption: Int, OptionKey {
    case epochs, steps, batchSize, dropLast, sampling, seed
    case learningRate, schedule, decayFactor, decayEpochs, plateauPatience, inverseTimeDecay, oneCyclePeak, oneCycleStart
    case oneCycleEnd, minimumRate, warmupSteps
    case validationFraction, patience, minDelta, targetLoss, timeLimit, keep
    case restarts, onDivergence, resume
    case progressInterval, progressSeconds

    static var mostRestarts: UInt64 { 10_000 }

    static var owner: OptionDescription.Owner { .trainer }

    /// Every whole number up to here is a double.
    private static var largestCount: Double { 1e15 }

    var description: OptionDescription {
        switch self {
        case .epochs:
            Self.whole("epochs", 100, 1...1e9, "epochs in all; an epoch draws as many rows as there are")
        case .steps:
            Self.whole("steps", 0, 0...Self.largestCount, "steps in all, where more than 0, instead of epochs")
        case .batchSize:
            Self.whole("batch_size", 32, 0...1e9, "rows of a minibatch; 0, or more than there are: all")
        case .dropLast:
            Self.whole(
                "drop_last", 0, 0...1,
                "an epoch's last minibatch, where fewer rows are left than batch_size: 0 is smaller, 1 is left out")
        case .sampling:
            Self.choice(
                "sampling", "shuffled uniform",
                """
                0 each row once an epoch, shuffled (a minibatch of all rows has them in order); 1 each row drawn \
                uniformly, with replacement (notes, section 1)
                """)
        case .seed:
            Self.whole(
                "seed", 0, 0...Self.largestCount, "of the order of the rows, of the split, and of the restarts' weights")
        case .learningRate:
            Self.number("learning_rate", 0.01, 0...1e9, "r, from which the schedule starts")
        case .schedule:
            Self.choice(
                "schedule", "constant step exponential cosine inverse_time one_cycle plateau",
                """
                the rate of step t in epoch e, both from 0, of T steps: 0 constant, r; 1 step, r decay_factor^floor(e / \
                decay_epochs); 2 exponential, r decay_factor^(e / decay_epochs); 3 cosine, m + (r - m) (1 + cos(pi t / \
                T)) / 2 with m = minimum_rate; 4 inverse time, r / (1 + inverse_time_decay t), which is Robbins and \
                Monro's; 5 one cycle, up to r and down again along half cosines; 6 plateau, times decay_factor after \
                plateau_patience epochs without a better loss
                """)
        case .decayFactor:
            Self.number("decay_factor", 0.5, 0...1, "of schedules 1, 2 and 6")
        case .decayEpochs:
            Self.whole("decay_epochs", 10, 1...1e9, "of schedules 1 and 2")
        case .plateauPatience:
            Self.whole("plateau_patience", 5, 0...1e9, "of schedule 6")
        case .inverseTimeDecay:
            Self.number("inverse_time_decay", 0.001, 0...1e9, "of schedule 4")
        case .oneCyclePeak:
            Self.number("one_cycle_peak", 0.3, 0...1, "of schedule 5: the share of the steps after which r is reached")
        case .oneCycleStart:
            Self.number("one_cycle_start", 25, 1...1e9, "of schedule 5: it starts from r / one_cycle_start")
        case .oneCycleEnd:
            Self.number("one_cycle_end", 1e4, 1...1e9, "of schedule 5: it ends at its start's rate / one_cycle_end")
        case .minimumRate:
            Self.number("minimum_rate", 0, 0...1e9, "no schedule goes below it")
        case .warmupSteps:
            Self.whole(
                "warmup_steps", 0, 0...Self.largestCount,
                "the rates of the first steps rise in a straight line: times (t + 1) / warmup_steps")
        case .validationFraction:
            Self.number(
                "validation_fraction", 0, 0...0.99,
                "share of the rows, drawn by the seed, that is held out for validation where no set is given")
        case .patience:
            Self.whole("patience", 0, 0...1e9, "epochs without a better loss after which a fit ends; 0: none")
        case .minDelta:
            Self.number("min_delta", 0, 0...1e30, "a loss is better when it is lower by more than this")
        case .targetLoss:
            Self.number("target_loss", 0, 0...1e30, "a fit ends with an epoch whose loss is below it; 0: never")
        case .timeLimit:
            Self.number("time_limit", 0, 0...1e9, "seconds after which a fit ends; 0: never")
        case .keep:
            Self.choice(
                "keep", "automatic latest best",
                """
                what the network is left with, however the fit ends: 1 the latest weights; 2 those after the epoch with \
                the best loss; 0 the best where there is validation or patience, else the latest
                """)
        case .restarts:
            Self.whole(
                "restarts", 0, 0...Double(Self.mostRestarts),
                "0 trains the network from its weights; k makes k starts from fresh weights, of which the best stays")
        case .onDivergence:
            Self.choice(
                "on_divergence", "fail recover",
                """
                a loss or a gradient that is not finite: 0 the fit fails; 1 it goes back to the epoch with the best loss \
                and on from there at half the rate, up to 30 times
                """)
        case .resume:
            Self.whole(
                "resume", 0, 0...1, "1 goes on where the network's last fit ended; epochs and steps then count from its start")
        case .progressInterval:
            Self.whole(
                "progress_interval", 0, 0...Self.largestCount,
                "steps between calls of the progress function, beside those after each epoch; 0: none")
        case .progressSeconds:
            Self.number(
                "progress_seconds", 0, 0...1e9,
                "a call of the progress function when this time has passed since the last; 0: none")
        }
    }
}
