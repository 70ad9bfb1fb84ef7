"""The declarations of backprop.h for ctypes."""
from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_char, c_char_p, c_double, c_float, c_int32, c_size_t, c_uint8, c_uint32
from ctypes import c_ssize_t, c_uint64, c_void_p
from typing import Any

ABI_VERSION = 1


class bp_network(ctypes.Structure):
    """Opaque. A separate type, so that ctypes refuses other pointers."""


class bp_trainer(ctypes.Structure):
    """Opaque. A separate type, so that ctypes refuses other pointers."""


class bp_predictor(ctypes.Structure):
    """Opaque. A separate type, so that ctypes refuses other pointers."""


class bp_progress(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("restart", c_uint32), ("epoch", c_uint64), ("epochs", c_uint64),
                ("step", c_uint64), ("steps", c_uint64), ("loss", c_double), ("validation_loss", c_double),
                ("learning_rate", c_double), ("epoch_ended", c_uint32), ("reserved", c_uint32)]


class bp_minibatch(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("epoch", c_uint64), ("batch", c_uint64),
                ("first_row", c_uint64), ("capacity", c_size_t), ("inputs", POINTER(c_float)),
                ("targets", POINTER(c_float)), ("row_weights", POINTER(c_float)), ("rows", c_size_t)]


class bp_rows(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("type", c_int32), ("values", c_void_p), ("rows", c_size_t), ("columns", c_size_t),
                ("row_stride", c_ssize_t), ("column_stride", c_ssize_t), ("scale", c_float), ("zero_point", c_int32),
                ("row_weights", POINTER(c_float))]
    arrays: Any  # the arrays that it describes


class bp_option_description(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("owner", c_uint32), ("name", c_char_p), ("meaning", c_char_p),
                ("default_value", c_double), ("minimum", c_double), ("maximum", c_double), ("whole_numbers", c_uint32),
                ("reserved", c_uint32), ("choices", c_char_p)]


class bp_fit_result(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("end", c_int32), ("epochs", c_uint64), ("steps", c_uint64),
                ("best_epoch", c_uint64), ("loss", c_double), ("restart", c_uint32), ("reserved", c_uint32)]


Network = POINTER(bp_network)
NetworkOut = POINTER(Network)
Trainer = POINTER(bp_trainer)
Predictor = POINTER(bp_predictor)
Floats = POINTER(c_float)
Sizes = POINTER(c_size_t)
Rows = POINTER(bp_rows)

bp_scalar_fn = CFUNCTYPE(c_float, c_float, c_void_p)
bp_scalar_derivative_fn = CFUNCTYPE(c_float, c_float, c_float, c_void_p)
bp_vector_forward_fn = CFUNCTYPE(c_int32, Floats, Floats, c_size_t, c_size_t, c_void_p)
bp_vector_backward_fn = CFUNCTYPE(c_int32, Floats, Floats, Floats, Floats, c_size_t, c_size_t, c_void_p)
bp_loss_fn = CFUNCTYPE(c_int32, Floats, Floats, POINTER(c_double), Floats, c_size_t, c_size_t, c_size_t, c_void_p)
bp_foreign_fn = CFUNCTYPE(None)
bp_destroy_fn = CFUNCTYPE(None, c_void_p)
bp_progress_fn = CFUNCTYPE(c_int32, POINTER(bp_progress), c_void_p)
bp_next_fn = CFUNCTYPE(c_int32, POINTER(bp_minibatch), c_void_p)
bp_all_reduce_fn = CFUNCTYPE(c_int32, c_void_p, c_size_t, c_int32, c_int32, c_void_p)
bp_all_reduce_finish_fn = CFUNCTYPE(c_int32, c_void_p)


class bp_activation_report(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32), ("points", c_uint32), ("kinks", c_uint32), ("skipped", c_uint32),
        ("worst_error", c_double), ("worst_z", c_double), ("first_kink", c_double)]


# Functions that may return BP_ERROR_IO and then set errno.
USES_ERRNO = {
    "bp_network_save", "bp_network_load", "bp_network_load_weights", "bp_network_load_layer", "bp_network_export_c",
    "bp_network_export_swift"}

# name: (restype, *argtypes)
PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "bp_status_name": (c_char_p, c_int32),
    "bp_last_error_message": (c_char_p,),
    "bp_version_number": (c_uint32,),
    "bp_version_string": (c_char_p,),
    "bp_abi_version": (c_uint32,),
    "bp_instruction_set": (c_char_p,),
    "bp_set_thread_count": (c_int32, c_size_t),
    "bp_thread_count": (c_size_t,),
    "bp_network_create": (c_int32, Sizes, c_size_t, c_uint64, NetworkOut),
    "bp_network_clone": (c_int32, Network, NetworkOut),
    "bp_network_free": (None, Network),
    "bp_network_initialize": (c_int32, Network, c_uint64),
    "bp_network_replace_output": (c_int32, Network, c_size_t, c_uint64),
    "bp_network_layer_count": (c_int32, Network, Sizes),
    "bp_network_layer_size": (c_int32, Network, c_size_t, Sizes),
    "bp_network_step_count": (c_int32, Network, POINTER(c_uint64)),
    "bp_network_set_activation": (c_int32, Network, c_size_t, c_char_p),
    "bp_network_get_activation": (c_int32, Network, c_size_t, POINTER(c_char), c_size_t, Sizes),
    "bp_network_set_batchnorm": (c_int32, Network, c_size_t, c_int32),
    "bp_network_get_batchnorm": (c_int32, Network, c_size_t, POINTER(c_int32)),
    "bp_network_set_dropout": (c_int32, Network, c_size_t, c_double),
    "bp_network_get_dropout": (c_int32, Network, c_size_t, POINTER(c_double)),
    "bp_network_set_trainable": (c_int32, Network, c_size_t, c_int32),
    "bp_network_get_trainable": (c_int32, Network, c_size_t, POINTER(c_int32)),
    "bp_network_set_loss": (c_int32, Network, c_char_p),
    "bp_network_get_loss": (c_int32, Network, POINTER(c_char), c_size_t, Sizes),
    "bp_loss_name": (c_int32, c_size_t, POINTER(c_char), c_size_t, Sizes),
    "bp_network_target_columns": (c_int32, Network, Sizes),
    "bp_loss_register": (c_int32, c_char_p, c_size_t, bp_loss_fn, c_void_p, bp_destroy_fn),
    "bp_loss_unregister": (c_int32, c_char_p),
    "bp_loss_check": (c_int32, c_char_p, Floats, Floats, c_size_t, c_size_t, POINTER(c_double)),
    "bp_network_fit_scaling": (c_int32, Network, c_char_p, c_char_p, Floats, Floats, c_size_t),
    "bp_network_fit_scaling_rows": (c_int32, Network, c_char_p, c_char_p, Rows, Rows),
    "bp_network_add_scaling_rows": (c_int32, Network, Rows, Rows),
    "bp_network_finish_scaling": (c_int32, Network, c_char_p, c_char_p),
    "bp_network_get_scaling": (c_int32, Network, c_int32, POINTER(c_char), c_size_t, Sizes),
    "bp_scaling_name": (c_int32, c_size_t, POINTER(c_char), c_size_t, Sizes),
    "bp_network_check_settings": (c_int32, Network, Floats, c_size_t),
    "bp_network_set_optimizer": (c_int32, Network, c_char_p),
    "bp_network_get_optimizer": (c_int32, Network, POINTER(c_char), c_size_t, Sizes),
    "bp_network_effective_parameters": (c_int32, Network, POINTER(c_double)),
    "bp_optimizer_name": (c_int32, c_size_t, POINTER(c_char), c_size_t, Sizes),
    "bp_network_set_option": (c_int32, Network, c_char_p, c_double),
    "bp_network_get_option": (c_int32, Network, c_char_p, POINTER(c_double)),
    "bp_option_info": (c_int32, c_size_t, POINTER(bp_option_description)),
    "bp_network_train_step": (c_int32, Network, Floats, Floats, c_float, Floats),
    "bp_network_train_minibatch": (c_int32, Network, Floats, Floats, c_size_t, c_float, Floats),
    "bp_network_train_rows": (c_int32, Network, Rows, Rows, c_float, Floats),
    "bp_network_gradient": (c_int32, Network, Floats, Floats, c_size_t, Floats, c_size_t, Floats),
    "bp_network_apply_gradient": (c_int32, Network, Floats, c_size_t, c_float),
    "bp_network_backpropagate": (c_int32, Network, Floats, Floats, c_size_t, Floats, c_size_t, Floats),
    "bp_network_input_jacobian": (c_int32, Network, Floats, c_size_t, Floats),
    "bp_network_check_gradient": (c_int32, Network, Floats, Floats, c_size_t, POINTER(c_double)),
    "bp_trainer_create": (c_int32, POINTER(Trainer)),
    "bp_trainer_free": (None, Trainer),
    "bp_trainer_set_option": (c_int32, Trainer, c_char_p, c_double),
    "bp_trainer_get_option": (c_int32, Trainer, c_char_p, POINTER(c_double)),
    "bp_trainer_set_row_weights": (c_int32, Trainer, Floats, c_size_t),
    "bp_trainer_set_progress": (c_int32, Trainer, bp_progress_fn, c_void_p),
    "bp_trainer_fit": (
        c_int32, Trainer, Network, Floats, Floats, c_size_t, Floats, Floats, c_size_t, POINTER(c_double)),
    "bp_trainer_fit_stream": (
        c_int32, Trainer, Network, bp_next_fn, c_void_p, Floats, Floats, c_size_t, POINTER(c_double)),
    "bp_trainer_get_result": (c_int32, Trainer, POINTER(bp_fit_result)),
    "bp_trainer_fit_rows": (c_int32, Trainer, Network, Rows, Rows, Rows, Rows, POINTER(c_double)),
    "bp_trainer_fit_ensemble": (
        c_int32, Trainer, POINTER(Network), c_size_t, POINTER(c_double), Floats, Floats, c_size_t, Floats, Floats, c_size_t,
        POINTER(bp_fit_result)),
    "bp_trainer_fit_ensemble_rows": (
        c_int32, Trainer, POINTER(Network), c_size_t, POINTER(c_double), Rows, Rows, Rows, Rows, POINTER(bp_fit_result)),
    "bp_trainer_cancel": (c_int32, Trainer),
    "bp_network_set_all_reduce": (c_int32, Network, bp_all_reduce_fn, c_size_t, c_size_t, c_void_p),
    "bp_network_set_all_reduce_overlap": (c_int32, Network, bp_all_reduce_fn, bp_all_reduce_finish_fn, c_void_p),
    "bp_network_predict": (c_int32, Network, Floats, c_size_t, Floats),
    "bp_network_predict_rows": (c_int32, Network, Rows, c_void_p, c_int32, c_ssize_t, c_ssize_t),
    "bp_network_predict_layer": (c_int32, Network, c_size_t, Floats, c_size_t, Floats),
    "bp_network_evaluate": (c_int32, Network, Floats, Floats, c_size_t, Floats),
    "bp_network_evaluate_rows": (c_int32, Network, Rows, Rows, Floats),
    "bp_network_row_losses": (c_int32, Network, Floats, Floats, c_size_t, Floats),
    "bp_network_score": (c_int32, Network, c_char_p, Floats, Floats, c_size_t, POINTER(c_double)),
    "bp_network_score_rows": (c_int32, Network, c_char_p, Rows, Rows, POINTER(c_double)),
    "bp_score_name": (c_int32, c_size_t, POINTER(c_char), c_size_t, Sizes),
    "bp_network_fold_batchnorm": (c_int32, Network),
    "bp_predictor_create": (c_int32, Network, POINTER(Predictor)),
    "bp_predictor_free": (None, Predictor),
    "bp_predictor_update": (c_int32, Predictor, Network),
    "bp_predictor_sizes": (c_int32, Predictor, Sizes, Sizes),
    "bp_predictor_run": (c_int32, Predictor, Floats, c_size_t, Floats),
    "bp_network_parameter_count": (c_int32, Network, Sizes),
    "bp_network_get_parameters": (c_int32, Network, Floats, c_size_t),
    "bp_network_set_parameters": (c_int32, Network, Floats, c_size_t),
    "bp_network_tensor_name": (c_int32, Network, c_size_t, POINTER(c_char), c_size_t, Sizes),
    "bp_network_tensor_shape": (c_int32, Network, c_char_p, Sizes, Sizes),
    "bp_network_get_tensor": (c_int32, Network, c_char_p, Floats, c_size_t),
    "bp_network_set_tensor": (c_int32, Network, c_char_p, Floats, c_size_t),
    "bp_network_set_metadata": (c_int32, Network, c_char_p, c_char_p),
    "bp_network_get_metadata": (c_int32, Network, c_char_p, POINTER(c_char), c_size_t, Sizes),
    "bp_network_metadata_key": (c_int32, Network, c_size_t, POINTER(c_char), c_size_t, Sizes),
    "bp_network_remove_metadata": (c_int32, Network, c_char_p),
    "bp_network_save": (c_int32, Network, c_char_p),
    "bp_network_load": (c_int32, c_char_p, NetworkOut),
    "bp_network_save_memory": (c_int32, Network, POINTER(c_uint8), c_size_t, Sizes),
    "bp_network_load_memory": (c_int32, POINTER(c_uint8), c_size_t, NetworkOut),
    "bp_network_export_c": (c_int32, Network, c_char_p, c_char_p, c_int32, c_int32),
    "bp_network_export_swift": (c_int32, Network, c_char_p, c_char_p, c_int32, c_int32),
    "bp_network_load_weights": (c_int32, Network, c_char_p),
    "bp_network_load_weights_memory": (c_int32, Network, POINTER(c_uint8), c_size_t),
    "bp_network_load_layer": (c_int32, Network, c_size_t, c_char_p, c_char_p, c_char_p),
    "bp_network_load_layer_memory": (
        c_int32, Network, c_size_t, POINTER(c_uint8), c_size_t, c_char_p, c_char_p),
    "bp_activation_register_scalar": (
        c_int32, c_char_p, bp_scalar_fn, bp_scalar_derivative_fn, c_void_p, bp_destroy_fn),
    "bp_activation_register_vector": (
        c_int32, c_char_p, bp_vector_forward_fn, bp_vector_backward_fn, c_void_p, bp_destroy_fn),
    "bp_activation_register_foreign": (
        c_int32, c_char_p, bp_foreign_fn, bp_foreign_fn, c_char_p, POINTER(c_double), c_size_t),
    "bp_activation_register_library": (
        c_int32, c_char_p, c_char_p, c_char_p, c_char_p, c_char_p, POINTER(c_double), c_size_t),
    "bp_activation_set_thread_safe": (c_int32, c_char_p, c_int32),
    "bp_activation_set_destroy": (c_int32, c_char_p, c_void_p, bp_destroy_fn),
    "bp_activation_unregister": (c_int32, c_char_p),
    "bp_activation_name": (c_int32, c_size_t, POINTER(c_char), c_size_t, Sizes),
    "bp_activation_kind": (c_int32, c_char_p, POINTER(c_int32)),
    "bp_activation_check": (c_int32, c_char_p, POINTER(c_double), POINTER(bp_activation_report)),
    "bp_plugin_load": (c_int32, c_char_p),
}
