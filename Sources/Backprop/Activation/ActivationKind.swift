/// The ways to register an activation, numbered as in `backprop.h`.
package enum ActivationKind: Int32 {
    case builtIn, scalar, vector, foreign, library
}
