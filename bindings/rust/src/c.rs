//! The declarations of backprop.h. declarations.py writes this file.
#![allow(non_camel_case_types, dead_code)]

use std::ffi::c_void;
use std::os::raw::c_char;

/// The statuses of calls.
pub mod status {
    /// success
    pub const OK: i32 = 0;
    /// success; a callback or bp_trainer_cancel ended the call early
    pub const STOPPED: i32 = 1;
    /// success; a class is not in both parts of a split: see option "stratify"
    pub const WARNING_MISSING_CLASS: i32 = 2;
    /// a pointer is NULL that must not be NULL
    pub const NULL_ARGUMENT: i32 = -1;
    /// a value that the function does not accept
    pub const INVALID_VALUE: i32 = -2;
    /// not a handle of this library, or a freed one; see Fork
    pub const INVALID_HANDLE: i32 = -3;
    /// called from a callback of the same network, or during a fit
    pub const BUSY: i32 = -4;
    /// no activation, loss, option, tensor or key has this name
    pub const UNKNOWN_NAME: i32 = -5;
    /// a meaningful request that is not possible here
    pub const UNSUPPORTED: i32 = -6;
    /// needed_out is the size needed
    pub const BUFFER_TOO_SMALL: i32 = -7;
    pub const OUT_OF_MEMORY: i32 = -50;
    /// a size that the library cannot count or hold
    pub const LIMIT: i32 = -51;
    /// the operating system failed to read or write; errno is the reason
    pub const IO: i32 = -100;
    /// a file of another kind
    pub const NOT_A_MODEL: i32 = -101;
    /// a model file that was truncated or changed
    pub const CORRUPT: i32 = -102;
    /// a model file of a format that this library cannot read
    pub const VERSION: i32 = -103;
    /// names, shapes or counts that do not match the network
    pub const MISMATCH: i32 = -104;
    /// a NaN or an infinity in the data, the loss, the gradient or the step
    pub const NOT_FINITE: i32 = -200;
    /// a callback reported a failure
    pub const CALLBACK: i32 = -300;
    /// a shared library that cannot be opened, or lacks a function
    pub const LIBRARY: i32 = -301;
    /// the call failed on another worker: see Workers
    pub const WORKER: i32 = -302;
}

/// The values of options that are choices, such as `trainer.set_option("keep", choice::KEEP_BEST)`.
pub mod choice {
    pub const REDUCTION_SUM: f64 = 0.0;
    pub const REDUCTION_MEAN: f64 = 1.0;
    pub const INITIALIZATION_AUTOMATIC: f64 = 0.0;
    pub const INITIALIZATION_GLOROT: f64 = 1.0;
    pub const INITIALIZATION_HE: f64 = 2.0;
    pub const INITIALIZATION_LECUN: f64 = 3.0;
    pub const BATCHNORM_UPDATE_TOGETHER: f64 = 0.0;
    pub const BATCHNORM_UPDATE_GAMMA_FIRST: f64 = 1.0;
    pub const SAMPLING_SHUFFLED: f64 = 0.0;
    pub const SAMPLING_UNIFORM: f64 = 1.0;
    pub const SCHEDULE_CONSTANT: f64 = 0.0;
    pub const SCHEDULE_STEP: f64 = 1.0;
    pub const SCHEDULE_EXPONENTIAL: f64 = 2.0;
    pub const SCHEDULE_COSINE: f64 = 3.0;
    pub const SCHEDULE_INVERSE_TIME: f64 = 4.0;
    pub const SCHEDULE_ONE_CYCLE: f64 = 5.0;
    pub const SCHEDULE_PLATEAU: f64 = 6.0;
    pub const KEEP_AUTOMATIC: f64 = 0.0;
    pub const KEEP_LATEST: f64 = 1.0;
    pub const KEEP_BEST: f64 = 2.0;
    pub const DIVERGENCE_FAIL: f64 = 0.0;
    pub const DIVERGENCE_RECOVER: f64 = 1.0;
}

pub const BP_FLOAT: i32 = 0;
pub const BP_DOUBLE: i32 = 1;
pub const BP_HALF: i32 = 2;
pub const BP_INT8: i32 = 3;
pub const BP_UINT8: i32 = 4;
pub const BP_OPTION_OF_NETWORK: i32 = 0;
pub const BP_OPTION_OF_TRAINER: i32 = 1;
pub const BP_END_NONE: i32 = 0;
pub const BP_END_COMPLETE: i32 = 1;
pub const BP_END_PATIENCE: i32 = 2;
pub const BP_END_TARGET_LOSS: i32 = 3;
pub const BP_END_TIME_LIMIT: i32 = 4;
pub const BP_END_STOPPED: i32 = 5;
pub const BP_END_CANCELLED: i32 = 6;
pub const BP_END_DIVERGED: i32 = 7;
pub const BP_REDUCE_SUM: i32 = 0;
pub const BP_REDUCE_MAXIMUM: i32 = 1;
pub const BP_ACTIVATION_BUILT_IN: i32 = 0;
pub const BP_ACTIVATION_SCALAR: i32 = 1;
pub const BP_ACTIVATION_VECTOR: i32 = 2;
pub const BP_ACTIVATION_FOREIGN: i32 = 3;
pub const BP_ACTIVATION_LIBRARY: i32 = 4;

#[repr(C)]
pub struct bp_network(u8);

#[repr(C)]
pub struct bp_trainer(u8);

#[repr(C)]
pub struct bp_predictor(u8);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct bp_rows {
    pub struct_size: u32,
    pub type_: i32,
    pub values: *const c_void,
    pub rows: usize,
    pub columns: usize,
    pub row_stride: isize,
    pub column_stride: isize,
    pub scale: f32,
    pub zero_point: i32,
    pub row_weights: *const f32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct bp_option_description {
    pub struct_size: u32,
    pub owner: u32,
    pub name: *const c_char,
    pub meaning: *const c_char,
    pub default_value: f64,
    pub minimum: f64,
    pub maximum: f64,
    pub whole_numbers: u32,
    pub reserved: u32,
    pub choices: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct bp_progress {
    pub struct_size: u32,
    pub restart: u32,
    pub epoch: u64,
    pub epochs: u64,
    pub step: u64,
    pub steps: u64,
    pub loss: f64,
    pub validation_loss: f64,
    pub learning_rate: f64,
    pub epoch_ended: u32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct bp_minibatch {
    pub struct_size: u32,
    pub reserved: u32,
    pub epoch: u64,
    pub batch: u64,
    pub first_row: u64,
    pub capacity: usize,
    pub inputs: *mut f32,
    pub targets: *mut f32,
    pub row_weights: *mut f32,
    pub rows: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct bp_fit_result {
    pub struct_size: u32,
    pub end: i32,
    pub epochs: u64,
    pub steps: u64,
    pub best_epoch: u64,
    pub loss: f64,
    pub restart: u32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct bp_activation_report {
    pub struct_size: u32,
    pub points: u32,
    pub kinks: u32,
    pub skipped: u32,
    pub worst_error: f64,
    pub worst_z: f64,
    pub first_kink: f64,
}

pub type bp_progress_fn = unsafe extern "C" fn(progress: *const bp_progress, user_data: *mut c_void) -> i32;
pub type bp_next_fn = unsafe extern "C" fn(minibatch: *mut bp_minibatch, user_data: *mut c_void) -> i32;
pub type bp_all_reduce_fn = unsafe extern "C" fn(values: *mut c_void, count: usize, type_: i32, operation: i32, user_data: *mut c_void) -> i32;
pub type bp_all_reduce_finish_fn = unsafe extern "C" fn(user_data: *mut c_void) -> i32;
pub type bp_scalar_fn = unsafe extern "C" fn(z: f32, user_data: *mut c_void) -> f32;
pub type bp_scalar_derivative_fn = unsafe extern "C" fn(z: f32, a: f32, user_data: *mut c_void) -> f32;
pub type bp_vector_forward_fn = unsafe extern "C" fn(z: *const f32, a: *mut f32, rows: usize, columns: usize, user_data: *mut c_void) -> i32;
pub type bp_vector_backward_fn = unsafe extern "C" fn(z: *const f32, a: *const f32, da: *const f32, dz: *mut f32, rows: usize, columns: usize, user_data: *mut c_void) -> i32;
pub type bp_foreign_fn = unsafe extern "C" fn();
pub type bp_destroy_fn = unsafe extern "C" fn(user_data: *mut c_void);
pub type bp_loss_fn = unsafe extern "C" fn(outputs: *const f32, targets: *const f32, losses: *mut f64, gradients: *mut f32, rows: usize, output_count: usize, target_columns: usize, user_data: *mut c_void) -> i32;

#[link(name = "backprop")]
extern "C" {
    pub fn bp_status_name(status: i32) -> *const c_char;
    pub fn bp_last_error_message() -> *const c_char;
    pub fn bp_version_number() -> u32;
    pub fn bp_version_string() -> *const c_char;
    pub fn bp_abi_version() -> u32;
    pub fn bp_instruction_set() -> *const c_char;
    pub fn bp_set_thread_count(count: usize) -> i32;
    pub fn bp_thread_count() -> usize;
    pub fn bp_network_create(layer_sizes: *const usize, layer_count: usize, seed: u64, network_out: *mut *mut bp_network) -> i32;
    pub fn bp_network_clone(network: *const bp_network, network_out: *mut *mut bp_network) -> i32;
    pub fn bp_network_free(network: *mut bp_network);
    pub fn bp_network_initialize(network: *mut bp_network, seed: u64) -> i32;
    pub fn bp_network_replace_output(network: *mut bp_network, size: usize, seed: u64) -> i32;
    pub fn bp_network_layer_count(network: *const bp_network, count_out: *mut usize) -> i32;
    pub fn bp_network_layer_size(network: *const bp_network, layer: usize, size_out: *mut usize) -> i32;
    pub fn bp_network_step_count(network: *const bp_network, steps_out: *mut u64) -> i32;
    pub fn bp_network_set_activation(network: *mut bp_network, layer: usize, name: *const c_char) -> i32;
    pub fn bp_network_get_activation(network: *const bp_network, layer: usize, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_network_set_batchnorm(network: *mut bp_network, layer: usize, enabled: i32) -> i32;
    pub fn bp_network_get_batchnorm(network: *const bp_network, layer: usize, enabled_out: *mut i32) -> i32;
    pub fn bp_network_set_dropout(network: *mut bp_network, layer: usize, rate: f64) -> i32;
    pub fn bp_network_get_dropout(network: *const bp_network, layer: usize, rate_out: *mut f64) -> i32;
    pub fn bp_network_set_trainable(network: *mut bp_network, layer: usize, trainable: i32) -> i32;
    pub fn bp_network_get_trainable(network: *const bp_network, layer: usize, trainable_out: *mut i32) -> i32;
    pub fn bp_network_set_loss(network: *mut bp_network, name: *const c_char) -> i32;
    pub fn bp_network_get_loss(network: *const bp_network, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_loss_name(index: usize, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_network_target_columns(network: *const bp_network, columns_out: *mut usize) -> i32;
    pub fn bp_network_fit_scaling(network: *mut bp_network, input_scaling: *const c_char, target_scaling: *const c_char, inputs: *const f32, targets: *const f32, rows: usize) -> i32;
    pub fn bp_network_fit_scaling_rows(network: *mut bp_network, input_scaling: *const c_char, target_scaling: *const c_char, inputs: *const bp_rows, targets: *const bp_rows) -> i32;
    pub fn bp_network_add_scaling_rows(network: *mut bp_network, inputs: *const bp_rows, targets: *const bp_rows) -> i32;
    pub fn bp_network_finish_scaling(network: *mut bp_network, input_scaling: *const c_char, target_scaling: *const c_char) -> i32;
    pub fn bp_network_get_scaling(network: *const bp_network, of_targets: i32, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_scaling_name(index: usize, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_network_check_settings(network: *const bp_network, targets: *const f32, rows: usize) -> i32;
    pub fn bp_network_set_optimizer(network: *mut bp_network, name: *const c_char) -> i32;
    pub fn bp_network_get_optimizer(network: *const bp_network, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_network_effective_parameters(network: *const bp_network, count_out: *mut f64) -> i32;
    pub fn bp_optimizer_name(index: usize, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_network_set_option(network: *mut bp_network, name: *const c_char, value: f64) -> i32;
    pub fn bp_network_get_option(network: *const bp_network, name: *const c_char, value_out: *mut f64) -> i32;
    pub fn bp_option_info(index: usize, description_out: *mut bp_option_description) -> i32;
    pub fn bp_network_train_step(network: *mut bp_network, input: *const f32, target: *const f32, learning_rate: f32, loss_out: *mut f32) -> i32;
    pub fn bp_network_train_minibatch(network: *mut bp_network, inputs: *const f32, targets: *const f32, rows: usize, learning_rate: f32, loss_out: *mut f32) -> i32;
    pub fn bp_network_train_rows(network: *mut bp_network, inputs: *const bp_rows, targets: *const bp_rows, learning_rate: f32, loss_out: *mut f32) -> i32;
    pub fn bp_network_gradient(network: *mut bp_network, inputs: *const f32, targets: *const f32, rows: usize, gradient_out: *mut f32, count: usize, loss_out: *mut f32) -> i32;
    pub fn bp_network_apply_gradient(network: *mut bp_network, gradient: *const f32, count: usize, learning_rate: f32) -> i32;
    pub fn bp_network_backpropagate(network: *mut bp_network, inputs: *const f32, output_gradients: *const f32, rows: usize, gradient_out: *mut f32, count: usize, input_gradients_out: *mut f32) -> i32;
    pub fn bp_network_input_jacobian(network: *mut bp_network, inputs: *const f32, rows: usize, jacobian_out: *mut f32) -> i32;
    pub fn bp_network_check_gradient(network: *mut bp_network, inputs: *const f32, targets: *const f32, rows: usize, worst_error_out: *mut f64) -> i32;
    pub fn bp_trainer_create(trainer_out: *mut *mut bp_trainer) -> i32;
    pub fn bp_trainer_free(trainer: *mut bp_trainer);
    pub fn bp_trainer_set_option(trainer: *mut bp_trainer, name: *const c_char, value: f64) -> i32;
    pub fn bp_trainer_get_option(trainer: *const bp_trainer, name: *const c_char, value_out: *mut f64) -> i32;
    pub fn bp_trainer_set_row_weights(trainer: *mut bp_trainer, row_weights: *const f32, rows: usize) -> i32;
    pub fn bp_trainer_set_progress(trainer: *mut bp_trainer, progress: Option<bp_progress_fn>, user_data: *mut c_void) -> i32;
    pub fn bp_trainer_fit(trainer: *mut bp_trainer, network: *mut bp_network, inputs: *const f32, targets: *const f32, rows: usize, validation_inputs: *const f32, validation_targets: *const f32, validation_rows: usize, loss_out: *mut f64) -> i32;
    pub fn bp_trainer_fit_stream(trainer: *mut bp_trainer, network: *mut bp_network, next: Option<bp_next_fn>, user_data: *mut c_void, validation_inputs: *const f32, validation_targets: *const f32, validation_rows: usize, loss_out: *mut f64) -> i32;
    pub fn bp_trainer_fit_rows(trainer: *mut bp_trainer, network: *mut bp_network, inputs: *const bp_rows, targets: *const bp_rows, validation_inputs: *const bp_rows, validation_targets: *const bp_rows, loss_out: *mut f64) -> i32;
    pub fn bp_trainer_get_result(trainer: *const bp_trainer, result_out: *mut bp_fit_result) -> i32;
    pub fn bp_trainer_fit_ensemble(trainer: *mut bp_trainer, networks: *const *mut bp_network, count: usize, learning_rates: *const f64, inputs: *const f32, targets: *const f32, rows: usize, validation_inputs: *const f32, validation_targets: *const f32, validation_rows: usize, results_out: *mut bp_fit_result) -> i32;
    pub fn bp_trainer_fit_ensemble_rows(trainer: *mut bp_trainer, networks: *const *mut bp_network, count: usize, learning_rates: *const f64, inputs: *const bp_rows, targets: *const bp_rows, validation_inputs: *const bp_rows, validation_targets: *const bp_rows, results_out: *mut bp_fit_result) -> i32;
    pub fn bp_trainer_cancel(trainer: *mut bp_trainer) -> i32;
    pub fn bp_network_set_all_reduce(network: *mut bp_network, function: Option<bp_all_reduce_fn>, worker: usize, workers: usize, user_data: *mut c_void) -> i32;
    pub fn bp_network_set_all_reduce_overlap(network: *mut bp_network, start: Option<bp_all_reduce_fn>, finish: Option<bp_all_reduce_finish_fn>, user_data: *mut c_void) -> i32;
    pub fn bp_network_predict(network: *const bp_network, inputs: *const f32, rows: usize, outputs_out: *mut f32) -> i32;
    pub fn bp_network_predict_rows(network: *const bp_network, inputs: *const bp_rows, outputs_out: *mut c_void, type_: i32, row_stride: isize, column_stride: isize) -> i32;
    pub fn bp_network_predict_layer(network: *const bp_network, layer: usize, inputs: *const f32, rows: usize, outputs_out: *mut f32) -> i32;
    pub fn bp_network_evaluate(network: *const bp_network, inputs: *const f32, targets: *const f32, rows: usize, loss_out: *mut f32) -> i32;
    pub fn bp_network_evaluate_rows(network: *const bp_network, inputs: *const bp_rows, targets: *const bp_rows, loss_out: *mut f32) -> i32;
    pub fn bp_network_row_losses(network: *const bp_network, inputs: *const f32, targets: *const f32, rows: usize, losses_out: *mut f32) -> i32;
    pub fn bp_network_score(network: *const bp_network, measure: *const c_char, inputs: *const f32, targets: *const f32, rows: usize, score_out: *mut f64) -> i32;
    pub fn bp_network_score_rows(network: *const bp_network, measure: *const c_char, inputs: *const bp_rows, targets: *const bp_rows, score_out: *mut f64) -> i32;
    pub fn bp_score_name(index: usize, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_network_fold_batchnorm(network: *mut bp_network) -> i32;
    pub fn bp_predictor_create(network: *const bp_network, predictor_out: *mut *mut bp_predictor) -> i32;
    pub fn bp_predictor_free(predictor: *mut bp_predictor);
    pub fn bp_predictor_update(predictor: *mut bp_predictor, network: *const bp_network) -> i32;
    pub fn bp_predictor_sizes(predictor: *const bp_predictor, inputs_out: *mut usize, outputs_out: *mut usize) -> i32;
    pub fn bp_predictor_run(predictor: *const bp_predictor, inputs: *const f32, rows: usize, outputs_out: *mut f32) -> i32;
    pub fn bp_network_parameter_count(network: *const bp_network, count_out: *mut usize) -> i32;
    pub fn bp_network_get_parameters(network: *const bp_network, parameters_out: *mut f32, count: usize) -> i32;
    pub fn bp_network_set_parameters(network: *mut bp_network, parameters: *const f32, count: usize) -> i32;
    pub fn bp_network_tensor_name(network: *const bp_network, index: usize, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_network_tensor_shape(network: *const bp_network, name: *const c_char, rows_out: *mut usize, columns_out: *mut usize) -> i32;
    pub fn bp_network_get_tensor(network: *const bp_network, name: *const c_char, values_out: *mut f32, count: usize) -> i32;
    pub fn bp_network_set_tensor(network: *mut bp_network, name: *const c_char, values: *const f32, count: usize) -> i32;
    pub fn bp_network_set_metadata(network: *mut bp_network, key: *const c_char, value: *const c_char) -> i32;
    pub fn bp_network_get_metadata(network: *const bp_network, key: *const c_char, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_network_metadata_key(network: *const bp_network, index: usize, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_network_remove_metadata(network: *mut bp_network, key: *const c_char) -> i32;
    pub fn bp_network_save(network: *const bp_network, path: *const c_char) -> i32;
    pub fn bp_network_load(path: *const c_char, network_out: *mut *mut bp_network) -> i32;
    pub fn bp_network_save_memory(network: *const bp_network, buffer: *mut u8, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_network_load_memory(bytes: *const u8, count: usize, network_out: *mut *mut bp_network) -> i32;
    pub fn bp_network_export_c(network: *const bp_network, path: *const c_char, prefix: *const c_char, weight_bits: i32, flags: i32) -> i32;
    pub fn bp_network_export_swift(network: *const bp_network, path: *const c_char, type_name: *const c_char, weight_bits: i32, flags: i32) -> i32;
    pub fn bp_network_load_weights(network: *mut bp_network, path: *const c_char) -> i32;
    pub fn bp_network_load_weights_memory(network: *mut bp_network, bytes: *const u8, count: usize) -> i32;
    pub fn bp_network_load_layer(network: *mut bp_network, layer: usize, path: *const c_char, weight_name: *const c_char, bias_name: *const c_char) -> i32;
    pub fn bp_network_load_layer_memory(network: *mut bp_network, layer: usize, bytes: *const u8, count: usize, weight_name: *const c_char, bias_name: *const c_char) -> i32;
    pub fn bp_activation_register_scalar(name: *const c_char, function: Option<bp_scalar_fn>, derivative: Option<bp_scalar_derivative_fn>, user_data: *mut c_void, destroy: Option<bp_destroy_fn>) -> i32;
    pub fn bp_activation_register_vector(name: *const c_char, forward: Option<bp_vector_forward_fn>, backward: Option<bp_vector_backward_fn>, user_data: *mut c_void, destroy: Option<bp_destroy_fn>) -> i32;
    pub fn bp_activation_register_foreign(name: *const c_char, function: Option<bp_foreign_fn>, derivative: Option<bp_foreign_fn>, signature: *const c_char, constants: *const f64, constant_count: usize) -> i32;
    pub fn bp_activation_register_library(name: *const c_char, library_path: *const c_char, function_symbol: *const c_char, derivative_symbol: *const c_char, signature: *const c_char, constants: *const f64, constant_count: usize) -> i32;
    pub fn bp_activation_set_thread_safe(name: *const c_char, thread_safe: i32) -> i32;
    pub fn bp_activation_set_destroy(name: *const c_char, user_data: *mut c_void, destroy: Option<bp_destroy_fn>) -> i32;
    pub fn bp_activation_unregister(name: *const c_char) -> i32;
    pub fn bp_activation_name(index: usize, buffer: *mut c_char, capacity: usize, needed_out: *mut usize) -> i32;
    pub fn bp_activation_kind(name: *const c_char, kind_out: *mut i32) -> i32;
    pub fn bp_activation_check(name: *const c_char, worst_error_out: *mut f64, report_out: *mut bp_activation_report) -> i32;
    pub fn bp_loss_register(name: *const c_char, target_columns: usize, function: Option<bp_loss_fn>, user_data: *mut c_void, destroy: Option<bp_destroy_fn>) -> i32;
    pub fn bp_loss_unregister(name: *const c_char) -> i32;
    pub fn bp_loss_check(name: *const c_char, outputs: *const f32, targets: *const f32, rows: usize, columns: usize, worst_error_out: *mut f64) -> i32;
    pub fn bp_plugin_load(path: *const c_char) -> i32;
}
