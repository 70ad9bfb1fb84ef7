import com.sun.jna.Pointer;
import java.util.List;

/** An activation of one number. */
interface Activation {
    float function(float z);

    float derivative(float z);

    /** Makes an activation known by a name. The library can call it until the process ends. */
    static void register(String name, Activation activation) {
        Backprop.Forward forward = (z, a, rows, columns, userData) -> Call.guarded(() -> {
            float[] numbers = z.getFloatArray(0, (int) (rows * columns));
            for (int i = 0; i < numbers.length; i++) numbers[i] = activation.function(numbers[i]);
            a.write(0, numbers, 0, numbers.length);
        });
        Backprop.Backward backward = (z, a, da, dz, rows, columns, userData) -> Call.guarded(() -> {
            float[] numbers = z.getFloatArray(0, (int) (rows * columns));
            float[] gradients = da.getFloatArray(0, numbers.length);
            for (int i = 0; i < numbers.length; i++) gradients[i] *= activation.derivative(numbers[i]);
            dz.write(0, gradients, 0, gradients.length);
        });
        Call.KEPT.addAll(List.of(forward, backward));
        Call.check(() ->
                Backprop.LIBRARY.bp_activation_register_vector(name, forward, backward, Pointer.NULL, null));
    }
}
