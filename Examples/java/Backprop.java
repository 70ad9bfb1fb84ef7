import com.sun.jna.Callback;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.util.Map;

/** The functions of backprop.h that this example calls. A size_t is a long: on 64-bit systems. */
interface Backprop extends Library {
    Backprop LIBRARY = Native.load("backprop", Backprop.class, Map.of(OPTION_STRING_ENCODING, "UTF-8"));

    interface Forward extends Callback {
        int call(Pointer z, Pointer a, long rows, long columns, Pointer userData);
    }

    interface Backward extends Callback {
        int call(Pointer z, Pointer a, Pointer da, Pointer dz, long rows, long columns, Pointer userData);
    }

    String bp_last_error_message();

    int bp_activation_register_vector(String name, Forward forward, Backward backward, Pointer userData, Callback destroy);

    int bp_network_create(long[] layerSizes, long layerCount, long seed, PointerByReference network);

    void bp_network_free(Pointer network);

    int bp_network_layer_count(Pointer network, LongByReference count);

    int bp_network_layer_size(Pointer network, long layer, LongByReference size);

    int bp_network_set_activation(Pointer network, long layer, String name);

    int bp_network_train_minibatch(
            Pointer network, float[] inputs, float[] targets, long rows, float learningRate, Pointer loss);

    int bp_network_predict(Pointer network, float[] inputs, long rows, float[] outputs);

    int bp_network_save(Pointer network, String path);

    int bp_network_load(String path, PointerByReference network);
}
