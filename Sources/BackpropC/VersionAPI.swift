import Backprop
import CBackprop
import CPlatform

@_cdecl("bp_version_number") @implementation
public func bp_version_number() -> UInt32 { UInt32(BP_VERSION_MAJOR * 10000 + BP_VERSION_MINOR * 100 + BP_VERSION_PATCH) }

@_cdecl("bp_version_string") @implementation
public func bp_version_string() -> UnsafePointer<CChar>! { fixed("0.2.0") }

@_cdecl("bp_abi_version") @implementation
public func bp_abi_version() -> UInt32 { UInt32(BP_ABI_VERSION) }

@_cdecl("bp_instruction_set") @implementation
public func bp_instruction_set() -> UnsafePointer<CChar>! { NetworkState.instructionSet }

@_cdecl("bp_last_error_message") @implementation
public func bp_last_error_message() -> UnsafePointer<CChar>! { cp_error_text() }

@_cdecl("bp_status_name") @implementation
public func bp_status_name(_ status: Int32) -> UnsafePointer<CChar>! {
    switch status {
    case BP_OK: fixed("BP_OK")
    case BP_STOPPED: fixed("BP_STOPPED")
    case BP_WARNING_MISSING_CLASS: fixed("BP_WARNING_MISSING_CLASS")
    case BP_ERROR_NULL_ARGUMENT: fixed("BP_ERROR_NULL_ARGUMENT")
    case BP_ERROR_INVALID_VALUE: fixed("BP_ERROR_INVALID_VALUE")
    case BP_ERROR_INVALID_HANDLE: fixed("BP_ERROR_INVALID_HANDLE")
    case BP_ERROR_BUSY: fixed("BP_ERROR_BUSY")
    case BP_ERROR_UNKNOWN_NAME: fixed("BP_ERROR_UNKNOWN_NAME")
    case BP_ERROR_UNSUPPORTED: fixed("BP_ERROR_UNSUPPORTED")
    case BP_ERROR_BUFFER_TOO_SMALL: fixed("BP_ERROR_BUFFER_TOO_SMALL")
    case BP_ERROR_OUT_OF_MEMORY: fixed("BP_ERROR_OUT_OF_MEMORY")
    case BP_ERROR_LIMIT: fixed("BP_ERROR_LIMIT")
    case BP_ERROR_IO: fixed("BP_ERROR_IO")
    case BP_ERROR_NOT_A_MODEL: fixed("BP_ERROR_NOT_A_MODEL")
    case BP_ERROR_CORRUPT: fixed("BP_ERROR_CORRUPT")
    case BP_ERROR_VERSION: fixed("BP_ERROR_VERSION")
    case BP_ERROR_MISMATCH: fixed("BP_ERROR_MISMATCH")
    case BP_ERROR_NOT_FINITE: fixed("BP_ERROR_NOT_FINITE")
    case BP_ERROR_CALLBACK: fixed("BP_ERROR_CALLBACK")
    case BP_ERROR_LIBRARY: fixed("BP_ERROR_LIBRARY")
    case BP_ERROR_WORKER: fixed("BP_ERROR_WORKER")
    default: fixed("BP_ERROR_UNKNOWN_STATUS")
    }
}
