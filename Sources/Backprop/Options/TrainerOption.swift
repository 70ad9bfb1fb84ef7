/// The options of a trainer.
enum TrainerOption: Int, OptionKey {
    case epochs, steps, stepsPerEpoch, batchSize, dropLast, sampling, seed, sharedRows
    case learningRate, schedule, decayFactor, decayEpochs, plateauPatience, inverseTimeDecay, oneCyclePeak, oneCycleStart
    case oneCycleEnd, minimumRate, warmupSteps
    case validationFraction, stratify, patience, minDelta, targetLoss, timeLimit, keep
    case restarts, onDivergence, resume
    case progressInterval, progressSeconds

    static var mostRestarts: UInt64 { 10_000 }

    static var owner: OptionDescription.Owner { .trainer }

    /// Every whole number up to here is a double.
    private static var largestCount: Double { 1e15 }

    var description: OptionDescription {
        switch self {
        case .epochs:
            Self.whole("epochs", 100, 1...1e9, "number of epochs; an epoch draws as many rows as the training data have")
        case .steps:
            Self.whole("steps", 0, 0...Self.largestCount, "number of steps, used instead of epochs; 0: epochs is used")
        case .stepsPerEpoch:
            Self.whole(
                "steps_per_epoch", 0, 0...Self.largestCount,
                "streams only: an epoch ends after this number of steps; 0: only the stream ends an epoch")
        case .batchSize:
            Self.whole(
                "batch_size", 32, 0...1e9,
                "rows of a minibatch; 0, more than the training data have, or a second-order optimizer: all rows")
        case .dropLast:
            Self.whole(
                "drop_last", 0, 0...1,
                "when fewer rows than batch_size are left in an epoch: 0 trains on them as a smaller minibatch; 1 skips them")
        case .sampling:
            Self.choice(
                "sampling", "shuffled uniform",
                """
                0 shuffled, each row once per epoch (a minibatch of all rows is not shuffled); 1 uniform, each row drawn \
                with replacement (notes, section 1)
                """)
        case .seed:
            Self.whole(
                "seed", 0, 0...Self.largestCount, "seeds the row order, the validation split and the restarts' weights")
        case .sharedRows:
            Self.whole(
                "shared_rows", 0, 0...1,
                """
                with an all-reduce function: 0 each worker passes its own rows; 1 all workers pass the same rows, and each \
                trains on its share of each minibatch
                """)
        case .learningRate:
            Self.number("learning_rate", 0.01, 0...1e9, "r, the base rate of the schedule")
        case .schedule:
            Self.choice(
                "schedule", "constant step exponential cosine inverse_time one_cycle plateau",
                """
                learning rate of step t in epoch e, both from 0, of T steps in all: 0 constant, r; 1 step, r \
                decay_factor^floor(e / decay_epochs); 2 exponential, r decay_factor^(e / decay_epochs); 3 cosine, m + (r - \
                m) (1 + cos(pi t / T)) / 2 with m = minimum_rate; 4 inverse time (Robbins and Monro), r / (1 + \
                inverse_time_decay t); 5 one cycle, up to r and down again along half cosines; 6 plateau, r, multiplied by \
                decay_factor after more than plateau_patience consecutive epochs without a better loss
                """)
        case .decayFactor:
            Self.number("decay_factor", 0.5, 0...1, "schedules 1, 2 and 6: the factor by which the rate falls")
        case .decayEpochs:
            Self.whole("decay_epochs", 10, 1...1e9, "schedules 1 and 2: epochs after which the rate has fallen by decay_factor")
        case .plateauPatience:
            Self.whole(
                "plateau_patience", 5, 0...1e9,
                "schedule 6: number of consecutive epochs without a better loss that do not change the rate")
        case .inverseTimeDecay:
            Self.number("inverse_time_decay", 0.001, 0...1e9, "schedule 4: the factor of t")
        case .oneCyclePeak:
            Self.number("one_cycle_peak", 0.3, 0...1, "schedule 5: the share of the steps after which the rate is r")
        case .oneCycleStart:
            Self.number("one_cycle_start", 25, 1...1e9, "schedule 5: the first rate is r / one_cycle_start")
        case .oneCycleEnd:
            Self.number("one_cycle_end", 1e4, 1...1e9, "schedule 5: the last rate is the first rate / one_cycle_end")
        case .minimumRate:
            Self.number(
                "minimum_rate", 0, 0...1e9, "lower bound of the schedule's rate, before warmup_steps and on_divergence reduce it")
        case .warmupSteps:
            Self.whole(
                "warmup_steps", 0, 0...Self.largestCount,
                "the rate of step t < warmup_steps is multiplied by (t + 1) / warmup_steps; 0: no warm-up")
        case .validationFraction:
            Self.number(
                "validation_fraction", 0, 0...0.99,
                "share of the rows, drawn by seed, that is held out for validation if no validation rows are given; 0: none")
        case .stratify:
            Self.whole(
                "stratify", 0, 0...1,
                """
                whether validation_fraction takes the same share of each class: 0 no; 1 yes. The class of a row is the \
                column of its largest target; with one output, whether the target is above 0.5
                """)
        case .patience:
            Self.whole(
                "patience", 0, 0...1e9, "number of consecutive epochs without a better loss after which a fit ends; 0: no limit")
        case .minDelta:
            Self.number("min_delta", 0, 0...1e30, "a loss is better if it is lower than the best loss by more than this")
        case .targetLoss:
            Self.number("target_loss", 0, 0...1e30, "a fit ends after an epoch whose loss is lower than this; 0: no target")
        case .timeLimit:
            Self.number("time_limit", 0, 0...1e9, "seconds after which a fit ends; 0: no limit")
        case .keep:
            Self.choice(
                "keep", "automatic latest best",
                """
                weights that the network has after the fit, also after one that was stopped: 0 automatic, 2 if there are \
                validation rows, patience is above 0 or on_divergence is 1, else 1; 1 the latest; 2 those after the epoch \
                with the best loss
                """)
        case .restarts:
            Self.whole(
                "restarts", 0, 0...Double(Self.mostRestarts),
                "0 trains the network from its present weights; k trains k times from new random weights and keeps the best")
        case .onDivergence:
            Self.choice(
                "on_divergence", "fail recover",
                """
                when a loss or a gradient is not finite: 0 the fit fails; 1 the fit returns to its best weights and \
                continues with half the rate, at most 30 times; those that it began with are the first best weights
                """)
        case .resume:
            Self.whole(
                "resume", 0, 0...1,
                """
                0 starts a new fit; 1 continues the network's latest fit, if there was one, and epochs and steps count from \
                the start of that fit
                """)
        case .progressInterval:
            Self.whole(
                "progress_interval", 0, 0...Self.largestCount,
                "steps between calls of the progress function, in addition to the call after each epoch; 0: no such calls")
        case .progressSeconds:
            Self.number(
                "progress_seconds", 0, 0...1e9,
                "seconds between calls of the progress function, in addition to the call after each epoch; 0: no such calls")
        }
    }
}
