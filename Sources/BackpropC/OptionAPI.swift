import Backprop
import CBackprop
import CPlatform

@_cdecl("bp_option_info") @implementation
public func bp_option_info(_ index: Int, _ description_out: UnsafeMutablePointer<bp_option_description>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = UnsafeMutableRawPointer(try require(description_out, "description_out"))
        // The one version of the struct there is; later ones will be longer.
        let size = MemoryLayout<bp_option_description>.size
        let given = out.load(as: UInt32.self)
        guard given >= size else {
            throw BackpropError(.invalidValue, "struct_size is \(Int(given)): set it to sizeof(bp_option_description)")
        }
        cp_clear(out + 4, size - 4)
        let option = try OptionDescription.at(index)
        out.assumingMemoryBound(to: bp_option_description.self).pointee = bp_option_description(
            struct_size: UInt32(size), owner: option.owner.rawValue, name: fixed(option.nameText),
            meaning: fixed(option.meaningText), default_value: option.standard, minimum: option.low,
            maximum: option.high, whole_numbers: option.isWhole ? 1 : 0, reserved: 0)
    }
}
