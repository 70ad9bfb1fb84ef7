// backprop_call.cc: the functions of backprop.h that Network.m calls. Octave's matrices, column-major doubles, are used in place.
//
//     mkoctfile backprop_call.cc -lbackprop
#include <octave/oct.h>
#include <octave/parse.h>

#include <backprop.hpp>

#include <map>

static std::map<int, backprop::Network> networks; // by number

static backprop::Network &network(const octave_value_list &args) {
    auto found = networks.find(args(1).int_value());
    if (found == networks.end()) error("this network was deleted");
    return found->second;
}

static octave_value added(backprop::Network network) {
    static int number = 0;
    networks[++number] = std::move(network);
    return number;
}

static bp_rows rows_of(const Matrix &matrix) {
    bp_rows rows = {};
    rows.struct_size = sizeof rows;
    rows.type = BP_DOUBLE;
    rows.values = matrix.data();
    rows.rows = matrix.rows();
    rows.columns = matrix.columns();
    rows.row_stride = sizeof(double);
    rows.column_stride = matrix.rows() * sizeof(double);
    return rows;
}

// function(z), for a row vector.
static Matrix apply(const octave_value &function, const float *z, size_t count) {
    Matrix argument(1, count);
    for (size_t i = 0; i < count; i++) argument(i) = z[i];
    const Matrix values = octave::feval(function, ovl(argument), 1)(0).matrix_value();
    if (static_cast<size_t>(values.numel()) != count) error("an activation returned another number of values");
    return values;
}

// An Octave error in a callback is an exception: backprop.hpp throws it again after the call.
static void register_activation(const std::string &name, octave_value function, octave_value derivative) {
    backprop::register_vector_activation(
        name,
        [function](const float *z, float *a, size_t rows, size_t columns) {
            const Matrix values = apply(function, z, rows * columns);
            for (size_t i = 0; i < rows * columns; i++) a[i] = static_cast<float>(values(i));
        },
        [derivative](const float *z, const float *, const float *da, float *dz, size_t rows, size_t columns) {
            const Matrix slopes = apply(derivative, z, rows * columns);
            for (size_t i = 0; i < rows * columns; i++) dz[i] = static_cast<float>(da[i] * slopes(i));
        });
}

static octave_value_list run(const std::string &command, const octave_value_list &args) {
    if (command == "register") {
        register_activation(args(1).string_value(), args(2), args(3));
    } else if (command == "create") {
        const Matrix sizes = args(1).matrix_value();
        std::vector<size_t> layers(sizes.data(), sizes.data() + sizes.numel());
        return ovl(added(backprop::Network(layers, args(2).uint64_value())));
    } else if (command == "load") {
        return ovl(added(backprop::Network::load(args(1).string_value())));
    } else if (command == "save") {
        network(args).save(args(2).string_value());
    } else if (command == "delete") {
        networks.erase(args(1).int_value());
    } else if (command == "set_activation") {
        network(args).set_activation(args(2).int_value(), args(3).string_value());
    } else if (command == "train") {
        const Matrix inputs = args(2).matrix_value(), targets = args(3).matrix_value();
        const bp_rows x = rows_of(inputs), y = rows_of(targets);
        backprop::call([&] { return bp_network_train_rows(network(args).handle(), &x, &y, args(4).float_value(), nullptr); });
    } else if (command == "predict") {
        const Matrix inputs = args(2).matrix_value();
        const bp_rows x = rows_of(inputs);
        Matrix outputs(inputs.rows(), network(args).outputs());
        backprop::call([&] {
            return bp_network_predict_rows(network(args).handle(), &x, outputs.fortran_vec(), BP_DOUBLE, sizeof(double),
                                           outputs.rows() * sizeof(double));
        });
        return ovl(outputs);
    } else {
        error("no command %s", command.c_str());
    }
    return {};
}

DEFUN_DLD(backprop_call, args, , "Calls libbackprop for Network.m and register_activation.m.") {
    try {
        return run(args(0).string_value(), args);
    } catch (const backprop::Error &failure) { error("%s", failure.what()); }
    return {};
}
