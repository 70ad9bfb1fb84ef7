// Uses the installed library through its C interface: prints its version.
import CBackprop

var network: OpaquePointer?
var output: Float = -1
var status = bp_network_create([2, 3, 1], 3, 1, &network)
if status == BP_OK { status = bp_network_predict(network, [1, 0], 1, &output) }
bp_network_free(network)
guard status == BP_OK, (0...1).contains(output) else { fatalError(String(cString: bp_last_error_message())) }
print(String(cString: bp_version_string()))
