/// Rows in the caller's memory: inputs [count × inputs], targets [count × targetCount].
package struct Rows {
    let inputs, targets: UnsafePointer<Float>
    let count: Int
    /// The targets of a row, if the caller knows them. Another thread can set a loss of another number before the fit begins.
    let targetCount: Int?

    package init(inputs: UnsafePointer<Float>, targets: UnsafePointer<Float>, count: Int, targetCount: Int? = nil) {
        self.inputs = inputs
        self.targets = targets
        self.count = count
        self.targetCount = targetCount
    }
}
