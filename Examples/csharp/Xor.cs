// A network learns exclusive or with a custom activation, the absolute value: mcs *.cs && mono Xor.exe
using System;
using System.Globalization;
using System.Linq;

static class Xor
{
    static void Main()
    {
        float[] inputs = { 0, 0, 0, 1, 1, 0, 1, 1 }, targets = { 0, 1, 1, 0 };
        Activation.Register("absolute", z => Math.Abs(z), z => z < 0 ? -1 : 1);
        Activation.Register("broken", z => Math.Abs(z), z => { throw new ArithmeticException("no derivative"); });

        using (var network = new Network(new[] { 2, 4, 1 }, 1))
        {
            network.SetActivation(1, "absolute");
            for (int epoch = 0; epoch < 2000; epoch++) network.Train(inputs, targets, 0.5f);
            float[] outputs = network.Predict(inputs);
            for (int i = 0; i < 4; i++)
                Console.WriteLine(string.Format(
                    CultureInfo.InvariantCulture, "{0} xor {1} = {2:F2}", inputs[2 * i], inputs[2 * i + 1], outputs[i]));

            network.SetActivation(1, "broken");
            try
            {
                network.Train(inputs, targets, 0.5f);
            }
            catch (ArithmeticException exception) // from the callback; the network is as before
            {
                Console.WriteLine("a failing callback: " + exception.Message);
            }
            network.SetActivation(1, "absolute");

            try
            {
                network.Predict(0, 0, 1);
            }
            catch (ArgumentException exception)
            {
                Console.WriteLine("a wrong size: " + exception.Message);
            }
            try
            {
                Network.Load("none.safetensors");
            }
            catch (BackpropException exception)
            {
                Console.WriteLine("a missing file: " + exception.Message);
            }

            network.Save("xor.safetensors");
            using (Network loaded = Network.Load("xor.safetensors"))
                Console.WriteLine("saved and loaded, it predicts the same: " +
                    (loaded.Predict(inputs).SequenceEqual(outputs) ? "yes" : "no"));
        }
    }
}
