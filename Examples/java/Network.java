import com.sun.jna.Pointer;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.util.function.ToIntFunction;

/** A network. Arrays are row by row. */
final class Network implements AutoCloseable {
    private Pointer handle;

    private Network(ToIntFunction<PointerByReference> make) {
        PointerByReference made = new PointerByReference();
        Call.check(() -> make.applyAsInt(made));
        handle = made.getValue();
    }

    /** A network with random weights. */
    static Network create(long seed, long... sizes) {
        return new Network(made -> Backprop.LIBRARY.bp_network_create(sizes, sizes.length, seed, made));
    }

    static Network load(String path) {
        return new Network(made -> Backprop.LIBRARY.bp_network_load(path, made));
    }

    @Override
    public void close() {
        Backprop.LIBRARY.bp_network_free(handle);
        handle = null;
    }

    void setActivation(int layer, String name) {
        Call.check(() -> Backprop.LIBRARY.bp_network_set_activation(handle, layer, name));
    }

    /** One step on all rows. */
    void train(float[] inputs, float[] targets, float learningRate) {
        int rows = rows(inputs.length, size(0));
        if (rows(targets.length, outputs()) != rows) throw new IllegalArgumentException("inputs and targets differ in rows");
        Call.check(() -> Backprop.LIBRARY.bp_network_train_minibatch(handle, inputs, targets, rows, learningRate, null));
    }

    float[] predict(float... inputs) {
        int rows = rows(inputs.length, size(0));
        float[] outputs = new float[rows * outputs()];
        Call.check(() -> Backprop.LIBRARY.bp_network_predict(handle, inputs, rows, outputs));
        return outputs;
    }

    void save(String path) {
        Call.check(() -> Backprop.LIBRARY.bp_network_save(handle, path));
    }

    private int size(long layer) {
        LongByReference size = new LongByReference();
        Call.check(() -> Backprop.LIBRARY.bp_network_layer_size(handle, layer, size));
        return (int) size.getValue();
    }

    private int outputs() {
        LongByReference layers = new LongByReference();
        Call.check(() -> Backprop.LIBRARY.bp_network_layer_count(handle, layers));
        return size(layers.getValue() - 1);
    }

    private static int rows(int numbers, int columns) {
        if (numbers % columns == 0) return numbers / columns;
        throw new IllegalArgumentException(numbers + " numbers are not rows of " + columns);
    }
}
