import java.util.Arrays;
import java.util.Locale;

/**
 * A network learns exclusive or with a custom activation, the absolute value.
 *
 * <pre>javac -cp jna.jar *.java && java -cp jna.jar:. Xor</pre>
 */
final class Xor {
    private static class Absolute implements Activation {
        public float function(float z) {
            return Math.abs(z);
        }

        public float derivative(float z) {
            return z < 0 ? -1 : 1;
        }
    }

    private static class Broken extends Absolute {
        @Override
        public float derivative(float z) {
            throw new ArithmeticException("no derivative");
        }
    }

    public static void main(String[] arguments) {
        float[] inputs = {0, 0, 0, 1, 1, 0, 1, 1}, targets = {0, 1, 1, 0};
        Activation.register("absolute", new Absolute());
        Activation.register("broken", new Broken());

        try (Network network = Network.create(1, 2, 4, 1)) {
            network.setActivation(1, "absolute");
            for (int epoch = 0; epoch < 2000; epoch++) network.train(inputs, targets, 0.5f);
            float[] outputs = network.predict(inputs);
            for (int i = 0; i < 4; i++)
                System.out.printf(Locale.ROOT, "%.0f xor %.0f = %.2f%n", inputs[2 * i], inputs[2 * i + 1], outputs[i]);

            network.setActivation(1, "broken");
            try {
                network.train(inputs, targets, 0.5f);
            } catch (ArithmeticException exception) { // from the callback; the network is as before
                System.out.println("a failing callback: " + exception.getMessage());
            }
            network.setActivation(1, "absolute");

            try {
                network.predict(0, 0, 1);
            } catch (IllegalArgumentException exception) {
                System.out.println("a wrong size: " + exception.getMessage());
            }
            try (Network none = Network.load("none.safetensors")) {
                System.out.println("loaded " + none);
            } catch (BackpropException exception) {
                System.out.println("a missing file: " + exception.getMessage());
            }

            network.save("xor.safetensors");
            try (Network loaded = Network.load("xor.safetensors")) {
                boolean same = Arrays.equals(loaded.predict(inputs), outputs);
                System.out.println("saved and loaded, it predicts the same: " + (same ? "yes" : "no"));
            }
        }
    }
}
