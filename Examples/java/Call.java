import java.util.ArrayList;
import java.util.List;

/** A call of the library. */
final class Call {
    /** JNA frees the native code of a callback that the program does not reach. */
    static final List<Object> KEPT = new ArrayList<>();

    private static final ThreadLocal<Throwable> thrown = new ThreadLocal<>();

    interface Body {
        int run();
    }

    /** Throws what a callback threw during the call, or the error of the call. */
    static void check(Body body) {
        int status = body.run();
        Throwable throwable = thrown.get();
        thrown.remove();
        if (throwable instanceof Error error) throw error;
        if (throwable instanceof RuntimeException exception) throw exception;
        if (status < 0) throw new BackpropException(status, Backprop.LIBRARY.bp_last_error_message());
    }

    /** Runs a callback. No exception passes through the library. */
    static int guarded(Runnable body) {
        try {
            body.run();
            return 0;
        } catch (Throwable throwable) { // of a Runnable: an Error or a RuntimeException
            thrown.set(throwable);
            return 1;
        }
    }
}
