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
    constructor(layers: ArrayLike<number>, settings?: NetworkSettings);
    /** Creates a network from the bytes of a model file, of any host and language. */
    static load(file: ArrayBuffer | ArrayBufferView): Network;
    /** Returns the bytes of a model file. */
    save(): Uint8Array;
    /** Returns an independent copy with the same parameters, settings and training state. */
    clone(): Network;
    /** Draws new random weights. */
    initialize(seed: number | bigint): void;

    readonly layers: number[];
    /** Training steps since the weights were drawn. */
    readonly stepCount: number;

    // Layers count from the inputs, which are layer 0.
    setActivation(layer: number, name: string): void;
    getActivation(layer: number): string;
    setBatchnorm(layer: number, enabled: boolean): void;
    getBatchnorm(layer: number): boolean;
    /** Folds batch normalization into the weights and removes it, for predictions. */
    foldBatchnorm(): void;
    setDropout(layer: number, rate: number): void;
    getDropout(layer: number): number;
    /** Training does not change a layer that is not trainable. */
    setTrainable(layer: number, trainable: boolean): void;
    getTrainable(layer: number): boolean;
    setLoss(name: string): void;
    getLoss(): string;
    setOptimizer(name: string): void;
    getOptimizer(): string;
    setOption(name: string, value: number): void;
    getOption(name: string): number;
    /** Computes from rows of data how the network scales inputs and targets. scalings() lists the methods; "auto" chooses. */
    fitScaling(inputScaling: string, targetScaling: string, inputs: Numbers, targets: Numbers): void;
    getScaling(): { inputs: string; targets: string };
    /** Throws if the settings, or the targets, do not go together. */
    checkSettings(targets?: Numbers): void;

    /** Makes one training step on a minibatch, and returns its loss before the step. */
    train(inputs: Numbers, targets: Numbers, learningRate: number): number;
    /** Computes the gradient of the minibatch's loss, in the order of `parameters`. */
    gradient(inputs: Numbers, targets: Numbers): { loss: number; gradient: Float32Array };
    /** Makes the optimizer's step along a gradient. */
    applyGradient(gradient: Numbers, learningRate: number): void;
    /** Compares the gradient with central differences, and returns the worst relative error: below 1e-2 is good. */
    checkGradient(inputs: Numbers, targets: Numbers): number;

    /** Returns the outputs [rows][outputs]. */
    predict(inputs: Numbers): Float32Array;
    /** Returns the outputs of a layer [rows][units]. */
    predictLayer(layer: number, inputs: Numbers): Float32Array;
    /** Returns the loss of the rows: their sum, or with option gradient_reduction 1 their mean. */
    evaluate(inputs: Numbers, targets: Numbers): number;
    /** Returns the loss of each row. */
    rowLosses(inputs: Numbers, targets: Numbers): Float32Array;
    /** @param measure one of scores(); if omitted, "accuracy" for cross-entropies, and "r2" for other losses */
    score(inputs: Numbers, targets: Numbers, measure?: string): number;

    /** All weights and biases, and gamma and beta; in order as in backprop.h. */
    get parameters(): Float32Array;
    set parameters(values: Numbers);
    /** Names such as "layers.1.weight". */
    readonly tensorNames: string[];
    getTensor(name: string): { rows: number; columns: number; values: Float32Array };
    setTensor(name: string, values: Numbers): void;
    /** Replaces the parameters by those of any safetensors file with the same names and shapes. */
    loadWeights(file: ArrayBuffer | ArrayBufferView): void;

    /** Texts that the file keeps. */
    readonly metadataKeys: string[];
    getMetadata(key: string): string;
    setMetadata(key: string, value: string): void;
    removeMetadata(key: string): void;

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
    getOption(name: string): number;
    /** A weight for each row of the fits that follow. */
    setRowWeights(weights: Numbers): void;
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

/** The comparison of an activation's derivative with differences of its values. */
export interface ActivationReport {
    points: number;
    kinks: number;
    skipped: number;
    /** The worst relative error: below 1e-2 for a correct derivative. */
    worstError: number;
    worstZ: number;
    /** NaN for none. */
    firstKink: number;
}
export declare function checkActivation(name: string): ActivationReport;

/**
 * Registers a loss for all networks.
 * @param loss the loss of a row
 * @param gradient the derivatives of this loss with respect to the outputs
 * @param targetColumns the size of a row of targets; 0 or omitted for the number of outputs
 */
export declare function registerLoss(
    name: string, loss: (outputs: Float32Array, targets: Float32Array) => number,
    gradient: (outputs: Float32Array, targets: Float32Array) => Numbers, targetColumns?: number): void;
/** Networks that use the loss keep it. */
export declare function unregisterLoss(name: string): void;
/** Compares the gradient of a loss with differences of its values, and returns the worst relative error. */
export declare function checkLoss(name: string, outputs: Numbers, targets: Numbers, rows: number): number;

// The names that the library knows, registered ones included.
export declare function activations(): string[];
export declare function losses(): string[];
export declare function optimizers(): string[];
export declare function scalings(): string[];
export declare function scores(): string[];

export interface OptionDescription {
    owner: "network" | "trainer";
    name: string;
    meaning: string;
    defaultValue: number;
    minimum: number;
    maximum: number;
    wholeNumbers: boolean;
    /** The words of the values 0, 1, 2 ...; empty for an option that is a number. */
    choices: string[];
}
export declare function options(): OptionDescription[];

/** The version of the library, such as "0.2.0". */
export declare const version: string;

/**
 * Loads the library anew, with threads that share the work of each large call. The package loads itself with one thread, and
 * `load()` returns to it. Networks and trainers from before are then invalid, and functions are not registered any more. If it
 * throws, nothing has changed.
 * @param settings.threads the number of threads, the calling one included, from 1 to 256; 0 for the number of processors; 1 if omitted
 * @returns the number of threads: 1 in a page that is not cross-origin isolated
 */
export declare function load(settings?: { threads?: number }): Promise<number>;

/**
 * The functions of backprop.h, allocate, release and memory. Handles are numbers, uint64_t is a BigInt. Pointers are signed numbers:
 * `pointer >>> 0` is the address, also beyond 2 GiB.
 */
export declare let wasm: Record<string, (...values: any[]) => any> & { memory: WebAssembly.Memory };
