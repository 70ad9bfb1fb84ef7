//! The part of backprop.h that this crate calls.
#![allow(non_camel_case_types)]

use std::ffi::c_void;
use std::os::raw::c_char;

#[repr(C)]
pub struct bp_network(u8);
#[repr(C)]
pub struct bp_trainer(u8);
#[repr(C)]
pub struct bp_predictor(u8);

#[repr(C)]
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

pub type bp_vector_forward_fn = extern "C" fn(*const f32, *mut f32, usize, usize, *mut c_void) -> i32;
pub type bp_vector_backward_fn = extern "C" fn(*const f32, *const f32, *const f32, *mut f32, usize, usize, *mut c_void) -> i32;
pub type bp_loss_fn = extern "C" fn(*const f32, *const f32, *mut f64, *mut f32, usize, usize, usize, *mut c_void) -> i32;
pub type bp_destroy_fn = extern "C" fn(*mut c_void);
pub type bp_progress_fn = extern "C" fn(*const bp_progress, *mut c_void) -> i32;

#[link(name = "backprop")]
extern "C" {
    pub fn bp_last_error_message() -> *const c_char;

    pub fn bp_network_create(sizes: *const usize, count: usize, seed: u64, network: *mut *mut bp_network) -> i32;
    pub fn bp_network_clone(network: *const bp_network, clone: *mut *mut bp_network) -> i32;
    pub fn bp_network_free(network: *mut bp_network);
    pub fn bp_network_layer_count(network: *const bp_network, count: *mut usize) -> i32;
    pub fn bp_network_layer_size(network: *const bp_network, layer: usize, size: *mut usize) -> i32;
    pub fn bp_network_target_columns(network: *const bp_network, columns: *mut usize) -> i32;
    pub fn bp_network_parameter_count(network: *const bp_network, count: *mut usize) -> i32;
    pub fn bp_network_set_activation(network: *mut bp_network, layer: usize, name: *const c_char) -> i32;
    pub fn bp_network_set_batchnorm(network: *mut bp_network, layer: usize, enabled: i32) -> i32;
    pub fn bp_network_set_dropout(network: *mut bp_network, layer: usize, rate: f64) -> i32;
    pub fn bp_network_set_loss(network: *mut bp_network, name: *const c_char) -> i32;
    pub fn bp_network_set_optimizer(network: *mut bp_network, name: *const c_char) -> i32;
    pub fn bp_network_set_option(network: *mut bp_network, name: *const c_char, value: f64) -> i32;
    pub fn bp_network_get_option(network: *const bp_network, name: *const c_char, value: *mut f64) -> i32;
    pub fn bp_network_fit_scaling(
        network: *mut bp_network,
        input_scaling: *const c_char,
        target_scaling: *const c_char,
        inputs: *const f32,
        targets: *const f32,
        rows: usize,
    ) -> i32;
    pub fn bp_network_set_metadata(network: *mut bp_network, key: *const c_char, value: *const c_char) -> i32;
    pub fn bp_network_get_metadata(
        network: *const bp_network,
        key: *const c_char,
        buffer: *mut c_char,
        capacity: usize,
        needed: *mut usize,
    ) -> i32;
    pub fn bp_network_gradient(
        network: *mut bp_network,
        inputs: *const f32,
        targets: *const f32,
        rows: usize,
        gradient: *mut f32,
        count: usize,
        loss: *mut f32,
    ) -> i32;
    pub fn bp_network_apply_gradient(network: *mut bp_network, gradient: *const f32, count: usize, rate: f32) -> i32;
    pub fn bp_network_train_minibatch(
        network: *mut bp_network,
        inputs: *const f32,
        targets: *const f32,
        rows: usize,
        rate: f32,
        loss: *mut f32,
    ) -> i32;
    pub fn bp_network_predict(network: *const bp_network, inputs: *const f32, rows: usize, outputs: *mut f32) -> i32;
    pub fn bp_network_evaluate(
        network: *const bp_network,
        inputs: *const f32,
        targets: *const f32,
        rows: usize,
        loss: *mut f32,
    ) -> i32;
    pub fn bp_network_score(
        network: *const bp_network,
        measure: *const c_char,
        inputs: *const f32,
        targets: *const f32,
        rows: usize,
        score: *mut f64,
    ) -> i32;
    pub fn bp_network_get_parameters(network: *const bp_network, parameters: *mut f32, count: usize) -> i32;
    pub fn bp_network_set_parameters(network: *mut bp_network, parameters: *const f32, count: usize) -> i32;
    pub fn bp_network_save(network: *const bp_network, path: *const c_char) -> i32;
    pub fn bp_network_load(path: *const c_char, network: *mut *mut bp_network) -> i32;
    pub fn bp_network_load_weights(network: *mut bp_network, path: *const c_char) -> i32;
    pub fn bp_network_export_c(network: *const bp_network, path: *const c_char, prefix: *const c_char, bits: i32, flags: i32) -> i32;
    pub fn bp_network_export_swift(network: *const bp_network, path: *const c_char, name: *const c_char, bits: i32, flags: i32) -> i32;
    pub fn bp_network_save_memory(network: *const bp_network, buffer: *mut u8, capacity: usize, needed: *mut usize) -> i32;
    pub fn bp_network_load_memory(bytes: *const u8, count: usize, network: *mut *mut bp_network) -> i32;

    pub fn bp_trainer_create(trainer: *mut *mut bp_trainer) -> i32;
    pub fn bp_trainer_free(trainer: *mut bp_trainer);
    pub fn bp_trainer_set_option(trainer: *mut bp_trainer, name: *const c_char, value: f64) -> i32;
    pub fn bp_trainer_set_progress(trainer: *mut bp_trainer, f: Option<bp_progress_fn>, user_data: *mut c_void) -> i32;
    pub fn bp_trainer_fit(
        trainer: *mut bp_trainer,
        network: *mut bp_network,
        inputs: *const f32,
        targets: *const f32,
        rows: usize,
        validation_inputs: *const f32,
        validation_targets: *const f32,
        validation_rows: usize,
        loss: *mut f64,
    ) -> i32;

    pub fn bp_predictor_create(network: *const bp_network, predictor: *mut *mut bp_predictor) -> i32;
    pub fn bp_predictor_free(predictor: *mut bp_predictor);
    pub fn bp_predictor_update(predictor: *mut bp_predictor, network: *const bp_network) -> i32;
    pub fn bp_predictor_sizes(predictor: *const bp_predictor, inputs: *mut usize, outputs: *mut usize) -> i32;
    pub fn bp_predictor_run(predictor: *const bp_predictor, inputs: *const f32, rows: usize, outputs: *mut f32) -> i32;

    pub fn bp_activation_register_vector(
        name: *const c_char,
        forward: bp_vector_forward_fn,
        backward: bp_vector_backward_fn,
        user_data: *mut c_void,
        destroy: Option<bp_destroy_fn>,
    ) -> i32;
    pub fn bp_activation_unregister(name: *const c_char) -> i32;
    pub fn bp_loss_register(
        name: *const c_char,
        target_columns: usize,
        function: bp_loss_fn,
        user_data: *mut c_void,
        destroy: Option<bp_destroy_fn>,
    ) -> i32;
    pub fn bp_loss_unregister(name: *const c_char) -> i32;
    pub fn bp_plugin_load(path: *const c_char) -> i32;
}
