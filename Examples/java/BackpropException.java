/** A call of the library that failed. */
class BackpropException extends RuntimeException {
    final int status;

    BackpropException(int status, String message) {
        super(message);
        this.status = status;
    }
}
