/// A line search for the strong Wolfe conditions (Nocedal and Wright 2006, algorithms 3.5 and 3.6, in one loop).
enum LineSearch {
    /// A point on the line: its distance from the start in units of the direction, the objective, and its slope.
    struct Point {
        let length, value, slope: Double
    }

    private static var sufficientDecrease: Double { 1e-4 }
    private static var curvature: Double { 0.9 }
    /// Values that differ by this share of the objective may differ by rounding only: near a good fit, the residuals are small
    /// differences of outputs in single precision. (The largest error measured was 4.4e-5.) The slopes then decide about the
    /// decrease (the approximate Wolfe conditions of Hager and Zhang 2005).
    private static var rounding: Double { 1e-4 }
    private static var mostEvaluations: Int { 25 }

    /// Returns the length of a point that satisfies the conditions; otherwise of the lowest point found that decreases the
    /// objective sufficiently, or 0. `evaluate` returns an infinite value where the objective is not finite.
    static func run(
        from start: Point, first: Double, _ evaluate: (Double) throws(BackpropError) -> Point
    ) throws(BackpropError) -> Double {
        var low = start
        var high: Point?  // an end of an interval that contains points as wanted; nil while it is open
        var length = first
        for _ in 0..<mostEvaluations {
            let point = try evaluate(length)
            let previous = low
            if point.value <= start.value + rounding * start.value.magnitude, point.slope >= curvature * start.slope,
                point.slope <= -0.8 * start.slope
            {
                return length
            }
            if !(point.value <= start.value + sufficientDecrease * length * start.slope) || point.value >= low.value {
                high = point
            } else {
                if point.slope.magnitude <= -curvature * start.slope { return length }
                if point.slope * ((high?.length ?? .infinity) - low.length) >= 0 { high = low }
                low = point
            }
            guard let high else {
                length = min(max(cubicMinimum(previous, point), 1.5 * length), 10 * length)
                continue
            }
            let width = high.length - low.length
            guard width.magnitude > 1e-9 * max(low.length, high.length) else { break }
            let share = (cubicMinimum(low, high) - low.length) / width
            length = low.length + width * min(max(share, 0.1), 0.9)
        }
        return low.length
    }

    /// The minimum of the cubic through two points with their slopes (equation 3.59); the middle if there is none.
    @inline(never)
    private static func cubicMinimum(_ a: Point, _ b: Point) -> Double {
        let width = b.length - a.length
        let first = a.slope + b.slope - 3 * (a.value - b.value) / (a.length - b.length)
        let root = (first * first - a.slope * b.slope).squareRoot() * (width < 0 ? -1 : 1)
        let minimum = b.length - width * (b.slope + root - first) / (b.slope - a.slope + 2 * root)
        return minimum.isFinite ? minimum : a.length + width / 2
    }
}
