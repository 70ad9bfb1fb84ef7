/// Rows in the caller's memory: inputs [count × inputs], targets [count × targetCount].
package struct Rows {
    let inputs, targets: UnsafePointer<Float>
    let count: Int

    package init(inputs: UnsafePointer<Float>, targets: UnsafePointer<Float>, count: Int) {
        self.inputs = inputs
        self.targets = targets
        self.count = count
    }
}
