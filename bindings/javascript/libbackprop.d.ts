/**
 * Multilayer neural networks trained by backpropagation: libbackprop as WebAssembly.
 *
 * Matrices are arrays of numbers, row by row. A call that fails changes nothing and throws a BackpropError; an error that one of
 * your functions throws ends the call and is thrown again by it. include/backprop.h describes names, options and formulas.
 */

export type Numbers = ArrayLike<number>;

/** The error of a failed call. */
export declare class BackpropError extends Error {
    /** The name of the status in backprop.h, such as "BP_ERROR_INVALID_VALUE". */
    readonly code: string;
}

export interface NetworkSettings {
    /** Seeds the initial weights; 0 if omitted. Up to 2^64 - 1, as a BigInt above 2^53. */
    seed?: number | bigint;
    /** The activation of the hidden layers; "logistic" if omitted. */
    activation?: string;
    /** The activation of the last layer. If omitted, the one that suits the loss: "softmax" for "cross_entropy", "logistic" for
     * "binary_cross_entropy", "softplus" for "poisson", "identity" for others; "logistic" if there is no loss either. */
    output?: string;
    /** "squared_error" if omitted. */
    loss?: string;
    /** "sgd" if omitted. */
    optimizer?: string;
    /** Batch normalization of the hidden layers. */
    batchnorm?: boolean;
    /** The dropout rate of the hidden layers. */
    dropout?: number;
    /** Options of a network, such as { gradient_reduction: 1 }. */
    options?: Record<string, number>;
}

/** A fully connected network. free() releases its memory; so does the garbage collector, later. */
export declare class Network {
    /** @param layers the sizes of the layers, inputs first */
    constructor(layers: readonly number[], settings?: NetworkSettings);
    /** Creates a network from the bytes of a model file, of any host and language. */
    static load(bytes: Uint8Array): Network;
    /** Returns the bytes of a model file. */
    save(): Uint8Array;

    readonly layers: number[];
    /** All weights and biases; in order as in backprop.h. */
    parameters: Float32Array;

    setActivation(layer: number, name: string): void;
    setBatchnorm(layer: number, enabled: boolean): void;
    setDropout(layer: number, rate: number): void;
    setLoss(name: string): void;
    setOptimizer(name: string): void;
    setOption(name: string, value: number): void;
    getOption(name: string): number;

    /** Makes one training step on a minibatch, and returns its loss before the step. */
    train(inputs: Numbers, targets: Numbers, learningRate: number): number;
    /** Returns the outputs [rows][outputs]. */
    predict(inputs: Numbers): Float32Array;
    /** Returns the mean loss of the rows. */
    evaluate(inputs: Numbers, targets: Numbers): number;

    /** The handle, for functions of `wasm`. */
    readonly handle: number;
    free(): void;
}

export interface Progress {
    restart: number;
    /** Epochs finished, and epochs in all. */
    epoch: number;
    epochs: number;
    step: number;
    steps: number;
    loss: number;
    /** NaN without validation rows, and within an epoch. */
    validationLoss: number;
    learningRate: number;
    epochEnded: boolean;
}

export interface FitSettings {
    /** Inputs and targets that are not trained on. */
    validation?: readonly [Numbers, Numbers];
    /** Called after each epoch, and as the options progress_interval and progress_seconds say. It may call methods of the
     * network that do not change it. false ends the fit. */
    progress?: (report: Progress) => boolean | void;
}

export interface FitResult {
    end: "none" | "complete" | "patience" | "target_loss" | "time_limit" | "stopped" | "cancelled";
    epochs: number;
    steps: number;
    bestEpoch: number;
    loss: number;
    restart: number;
}

/** Trains networks: shuffles the rows and makes minibatches and epochs. Options are those of bp_trainer_set_option. */
export declare class Trainer {
    constructor(options?: Record<string, number>);
    setOption(name: string, value: number): void;
    fit(network: Network, inputs: Numbers, targets: Numbers, settings?: FitSettings): FitResult;

    readonly handle: number;
    free(): void;
}

/**
 * Registers an activation for all networks.
 * @param derivative f'(z), given z and f(z); central differences if omitted
 */
export declare function registerActivation(
    name: string, forward: (z: number) => number, derivative?: (z: number, a: number) => number): void;
/** Networks that use the activation keep it. */
export declare function unregisterActivation(name: string): void;

/** The version of the library, such as "0.2.0". */
export declare const version: string;

/** The functions of backprop.h, allocate, release and memory. Pointers and handles are numbers, uint64_t is a BigInt. */
export declare const wasm: Record<string, (...values: any[]) => any> & { memory: WebAssembly.Memory };
