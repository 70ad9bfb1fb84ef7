import Backprop
import CBackprop

@_cdecl("bp_option_info") @implementation
public func bp_option_info(_ index: Int, _ description_out: UnsafeMutablePointer<bp_option_description>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try StructOutput(try require(description_out, "description_out"), "description_out")
        let option = try OptionDescription.at(index)
        out.put(
            bp_option_description(
                struct_size: 0, owner: option.owner.rawValue, name: fixed(option.nameText), meaning: fixed(option.meaningText),
                default_value: option.standard, minimum: option.low, maximum: option.high,
                whole_numbers: option.isWhole ? 1 : 0, reserved: 0, choices: option.choicesText.map { fixed($0) }))
    }
}
