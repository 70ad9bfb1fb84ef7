using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

/// <summary>The functions of backprop.h that this example calls.</summary>
static class Native
{
    const string Library = "backprop";

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    public delegate int Forward(IntPtr z, IntPtr a, UIntPtr rows, UIntPtr columns, IntPtr userData);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    public delegate int Backward(IntPtr z, IntPtr a, IntPtr da, IntPtr dz, UIntPtr rows, UIntPtr columns, IntPtr userData);

    [DllImport(Library)] public static extern IntPtr bp_last_error_message();
    [DllImport(Library)] public static extern int bp_activation_register_vector(
        string name, Forward forward, Backward backward, IntPtr userData, IntPtr destroy);
    [DllImport(Library)] public static extern int bp_network_create(
        UIntPtr[] sizes, UIntPtr count, ulong seed, out NetworkHandle network);
    [DllImport(Library)] public static extern void bp_network_free(IntPtr network);
    [DllImport(Library)] public static extern int bp_network_layer_count(NetworkHandle network, out UIntPtr count);
    [DllImport(Library)] public static extern int bp_network_layer_size(NetworkHandle network, UIntPtr layer, out UIntPtr size);
    [DllImport(Library)] public static extern int bp_network_set_activation(NetworkHandle network, UIntPtr layer, string name);
    [DllImport(Library)] public static extern int bp_network_train_minibatch(
        NetworkHandle network, float[] inputs, float[] targets, UIntPtr rows, float learningRate, IntPtr loss);
    [DllImport(Library)] public static extern int bp_network_predict(
        NetworkHandle network, float[] inputs, UIntPtr rows, float[] outputs);
    [DllImport(Library)] public static extern int bp_network_save(NetworkHandle network, string path);
    [DllImport(Library)] public static extern int bp_network_load(string path, out NetworkHandle network);
}

/// <summary>A handle that the runtime frees, but never during a call.</summary>
sealed class NetworkHandle : SafeHandle
{
    public NetworkHandle() : base(IntPtr.Zero, true) { }

    public override bool IsInvalid => handle == IntPtr.Zero;

    protected override bool ReleaseHandle()
    {
        Native.bp_network_free(handle);
        return true;
    }
}

/// <summary>A call of the library that failed.</summary>
class BackpropException : Exception
{
    public readonly int Status;

    public BackpropException(int status, string message) : base(message) => Status = status;
}

/// <summary>Custom activations.</summary>
static class Activation
{
    // The collector must not free a delegate that the library can call.
    static readonly List<Delegate> kept = new List<Delegate>();

    [ThreadStatic] static ExceptionDispatchInfo thrown;

    /// <summary>Makes an activation of one number known by a name.</summary>
    public static void Register(string name, Func<float, float> function, Func<float, float> derivative)
    {
        Native.Forward forward = (z, a, rows, columns, userData) => Guarded(() =>
        {
            float[] numbers = Read(z, rows, columns);
            Marshal.Copy(Array.ConvertAll(numbers, number => function(number)), 0, a, numbers.Length);
        });
        Native.Backward backward = (z, a, da, dz, rows, columns, userData) => Guarded(() =>
        {
            float[] numbers = Read(z, rows, columns), gradients = Read(da, rows, columns);
            for (int i = 0; i < numbers.Length; i++) gradients[i] *= derivative(numbers[i]);
            Marshal.Copy(gradients, 0, dz, gradients.Length);
        });
        kept.Add(forward);
        kept.Add(backward);
        Check(Native.bp_activation_register_vector(name, forward, backward, IntPtr.Zero, IntPtr.Zero));
    }

    /// <summary>Throws the exception of a callback during the call, or the error of the call.</summary>
    public static void Check(int status)
    {
        ExceptionDispatchInfo exception = thrown;
        thrown = null;
        exception?.Throw();
        if (status < 0) throw new BackpropException(status, Marshal.PtrToStringAnsi(Native.bp_last_error_message()));
    }

    // No exception passes through the library.
    static int Guarded(Action body)
    {
        try
        {
            body();
            return 0;
        }
        catch (Exception exception)
        {
            thrown = ExceptionDispatchInfo.Capture(exception);
            return 1;
        }
    }

    static float[] Read(IntPtr values, UIntPtr rows, UIntPtr columns)
    {
        var numbers = new float[(int)rows * (int)columns];
        Marshal.Copy(values, numbers, 0, numbers.Length);
        return numbers;
    }
}

/// <summary>A network. Arrays are row by row.</summary>
sealed class Network : IDisposable
{
    readonly NetworkHandle handle;

    Network(NetworkHandle handle) => this.handle = handle;

    /// <summary>A network with random weights.</summary>
    public Network(int[] sizes, ulong seed)
    {
        UIntPtr[] layers = Array.ConvertAll(sizes, size => (UIntPtr)size);
        Activation.Check(Native.bp_network_create(layers, (UIntPtr)layers.Length, seed, out handle));
    }

    public static Network Load(string path)
    {
        NetworkHandle handle;
        Activation.Check(Native.bp_network_load(path, out handle));
        return new Network(handle);
    }

    public void Dispose() => handle.Dispose();

    public void SetActivation(int layer, string name) =>
        Activation.Check(Native.bp_network_set_activation(handle, (UIntPtr)layer, name));

    /// <summary>One step on all rows.</summary>
    public void Train(float[] inputs, float[] targets, float learningRate)
    {
        int rows = Rows(inputs, Size(0));
        if (Rows(targets, Outputs) != rows) throw new ArgumentException("inputs and targets differ in rows");
        Activation.Check(Native.bp_network_train_minibatch(handle, inputs, targets, (UIntPtr)rows, learningRate, IntPtr.Zero));
    }

    public float[] Predict(params float[] inputs)
    {
        int rows = Rows(inputs, Size(0));
        var outputs = new float[rows * Outputs];
        Activation.Check(Native.bp_network_predict(handle, inputs, (UIntPtr)rows, outputs));
        return outputs;
    }

    public void Save(string path) => Activation.Check(Native.bp_network_save(handle, path));

    int Size(int layer)
    {
        UIntPtr size;
        Activation.Check(Native.bp_network_layer_size(handle, (UIntPtr)layer, out size));
        return (int)size;
    }

    int Outputs
    {
        get
        {
            UIntPtr layers;
            Activation.Check(Native.bp_network_layer_count(handle, out layers));
            return Size((int)layers - 1);
        }
    }

    static int Rows(float[] numbers, int columns)
    {
        if (numbers.Length % columns == 0) return numbers.Length / columns;
        throw new ArgumentException(numbers.Length + " numbers are not rows of " + columns);
    }
}
