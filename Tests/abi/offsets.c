/* offsets.c: the offsets of the members of the header's structs, on machines with 64-bit pointers. Structs grow only at the
 * end: lines are added here and never changed. Compiling this file is the test. */
#include <backprop.h>

#define PINNED(struct_name, member, at) \
    typedef char struct_name##_##member##_is_where_it_was[offsetof(struct_name, member) == (at) ? 1 : -1]

PINNED(bp_rows, struct_size, 0);
PINNED(bp_rows, type, 4);
PINNED(bp_rows, values, 8);
PINNED(bp_rows, rows, 16);
PINNED(bp_rows, columns, 24);
PINNED(bp_rows, row_stride, 32);
PINNED(bp_rows, column_stride, 40);
PINNED(bp_rows, scale, 48);
PINNED(bp_rows, zero_point, 52);
PINNED(bp_rows, row_weights, 56);

PINNED(bp_option_description, struct_size, 0);
PINNED(bp_option_description, owner, 4);
PINNED(bp_option_description, name, 8);
PINNED(bp_option_description, meaning, 16);
PINNED(bp_option_description, default_value, 24);
PINNED(bp_option_description, minimum, 32);
PINNED(bp_option_description, maximum, 40);
PINNED(bp_option_description, whole_numbers, 48);
PINNED(bp_option_description, reserved, 52);
PINNED(bp_option_description, choices, 56);

PINNED(bp_progress, struct_size, 0);
PINNED(bp_progress, restart, 4);
PINNED(bp_progress, epoch, 8);
PINNED(bp_progress, epochs, 16);
PINNED(bp_progress, step, 24);
PINNED(bp_progress, steps, 32);
PINNED(bp_progress, loss, 40);
PINNED(bp_progress, validation_loss, 48);
PINNED(bp_progress, learning_rate, 56);
PINNED(bp_progress, epoch_ended, 64);
PINNED(bp_progress, reserved, 68);

PINNED(bp_minibatch, struct_size, 0);
PINNED(bp_minibatch, reserved, 4);
PINNED(bp_minibatch, epoch, 8);
PINNED(bp_minibatch, batch, 16);
PINNED(bp_minibatch, first_row, 24);
PINNED(bp_minibatch, capacity, 32);
PINNED(bp_minibatch, inputs, 40);
PINNED(bp_minibatch, targets, 48);
PINNED(bp_minibatch, row_weights, 56);
PINNED(bp_minibatch, rows, 64);
PINNED(bp_fit_result, struct_size, 0);
PINNED(bp_fit_result, end, 4);
PINNED(bp_fit_result, epochs, 8);
PINNED(bp_fit_result, steps, 16);
PINNED(bp_fit_result, best_epoch, 24);
PINNED(bp_fit_result, loss, 32);
PINNED(bp_fit_result, restart, 40);
PINNED(bp_fit_result, reserved, 44);

PINNED(bp_activation_report, struct_size, 0);
PINNED(bp_activation_report, points, 4);
PINNED(bp_activation_report, kinks, 8);
PINNED(bp_activation_report, skipped, 12);
PINNED(bp_activation_report, worst_error, 16);
PINNED(bp_activation_report, worst_z, 24);
PINNED(bp_activation_report, first_kink, 32);

PINNED(bp_plugin_host, struct_size, 0);
PINNED(bp_plugin_host, abi_version, 4);
PINNED(bp_plugin_host, register_scalar, 8);
PINNED(bp_plugin_host, register_vector, 16);
PINNED(bp_plugin_host, register_foreign, 24);
PINNED(bp_plugin_host, register_library, 32);
PINNED(bp_plugin_host, set_thread_safe, 40);
PINNED(bp_plugin_host, set_destroy, 48);
PINNED(bp_plugin_host, last_error_message, 56);
PINNED(bp_plugin_host, register_loss, 64);
