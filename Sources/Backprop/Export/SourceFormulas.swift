/// The functions of exported source code, as templates for `SourceText`. An empty line ends a function. A function is before those
/// that call it.
enum SourceFormulas {
    /// Writes the functions that are called, directly or through others.
    static func write(calledBy calls: Text, to text: inout SourceText) {
        let functions = split(text.isSwift ? swift : c) + split(shared)
        var calls = calls
        var called: [Int] = []
        for index in functions.indices.reversed() where isCalled(functions[index], in: calls) {
            calls += Text(Array(functions[index]))
            called.append(index)
        }
        for index in called.reversed() {
            text.write(functions[index])
            text.write("\n" as StaticString)
        }
    }

    /// The functions of a text, each with its last line break.
    private static func split(_ text: StaticString) -> [UnsafeBufferPointer<UInt8>] {
        var functions: [UnsafeBufferPointer<UInt8>] = []
        var start = 0
        for end in 1..<text.utf8CodeUnitCount where text.utf8Start[end - 1] == 0x0A && text.utf8Start[end] == 0x0A {
            functions.append(UnsafeBufferPointer(start: text.utf8Start + start, count: end - start))
            start = end + 1
        }
        return functions
    }

    /// Whether a text has "`name(" for the function that begins with "%name(", or has "`name(" first.
    private static func isCalled(_ function: UnsafeBufferPointer<UInt8>, in calls: Text) -> Bool {
        var start = 0
        while function[start] != UInt8(ascii: "%"), function[start] != UInt8(ascii: "`") { start += 1 }
        var count = 0
        for byte in calls.bytes {
            if count == 0 ? byte == UInt8(ascii: "`") : byte == function[start + count] {
                if byte == 0x28 { return true }
                count += 1
            } else {
                count = byte == UInt8(ascii: "`") ? 1 : 0
            }
        }
        return false
    }

    /// What differs between C and Swift.
    static var c: StaticString {
        """
        #if defined(__FMA__) || defined(__FP_FAST_FMAF) || defined(__ARM_FEATURE_FMA)
        %m(a,b,sum) { return fmaf(a, b, sum); }
        enum { `fused = 1 };
        #else
        %m(a,b,sum) { return a * b + sum; }
        enum { `fused = 0 };
        #endif

        static inline uint32_t `bits(float x) {
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        return bits;
        }

        static inline float `number(uint32_t bits) {
        float x;
        memcpy(&x, &bits, sizeof x);
        return x;
        }

        static inline float `rounded(float x) {
        #if __FLT_EVAL_METHOD__ == 2
        volatile
        #endif
        float y = x;
        return y;
        }

        static inline double `wide(float x) { return x; }

        static inline float `narrow(double x) { return (float)x; }


        """
    }

    static var swift: StaticString {
        """
        #if arch(arm64) || FMA
        %m(a,b,sum) { return sum.addingProduct(a, b) }
        private static var fused: Bool { true }
        #else
        %m(a,b,sum) { return a * b + sum }
        private static var fused: Bool { false }
        #endif

        private static func `bits(_ x: Float) -> UInt32 { x.bitPattern }

        private static func `number(_ bits: UInt32) -> Float { Float(bitPattern: bits) }

        private static func `rounded(_ x: Float) -> Float { x }

        private static func `wide(_ x: Float) -> Double { Double(x) }

        private static func `narrow(_ x: Double) -> Float { Float(x) }


        """
    }

    /// Sums of a layer in the order of the library, with weights [inputs × units]; activations; and their parts. Functions with
    /// `m`, which fuses a product and a sum, have the operations of Kernels/Elementwise in the same order, and so the same bits. The
    /// others compute in double precision.
    static var shared: StaticString {
        """
        %sums(*x,#inputs,*w,*b,+z,#units) {
        @j(0,units) { z[j] = b[j]; }
        @i(0,inputs / 4) {
        @j(0,units) {
        ^sum = `m(x[4 * i], w[4 * i * units + j], z[j]);
        sum = `m(x[4 * i + 1], w[(4 * i + 1) * units + j], sum);
        sum = `m(x[4 * i + 2], w[(4 * i + 2) * units + j], sum);
        z[j] = `m(x[4 * i + 3], w[(4 * i + 3) * units + j], sum);
        }
        }
        @i(inputs / 4 * 4,inputs) {
        @j(0,units) { z[j] = `m(x[i], w[i * units + j], z[j]); }
        }
        }

        %sums8(*x,#inputs,&w,*scale,*b,+z,#units) {
        @j(0,units) { z[j] = 0; }
        @i(0,inputs) {
        @j(0,units) { z[j] = `m(x[i], !(w[i * units + j]), z[j]); }
        }
        @j(0,units) { z[j] = `m(z[j], scale[j], b[j]); }
        }

        %magnitude(x) { return `number(`bits(x) & 0x7FFFFFFF); }

        %signed(x,z) { return `number((`bits(x) & 0x7FFFFFFF) | (`bits(z) & 0x80000000)); }

        %exponent(x) { return `number(`bits(x) << 23); }

        %nearest(x) { return `rounded(`m(x, 1.44269504~, 12582912)) - 12582912; }

        %atleast(low,x) { return x < low ? low : x; }

        %atmost(high,x) { return x > high ? high : x; }

        %relu(z) { return z < 0 ? 0 : z; }

        %relu6(z) { return `atmost(6, `relu(z)); }

        %series(x,k) {
        $r = `m(k, -1.42860677e-06~, `m(k, -0.693145752~, x));
        $square = r * r;
        $low = `m(r, 0.166665435~, 0.49999997~);
        $high = `m(r, 0.00836654752~, 0.0416672006~);
        return `m(square, `m(square, `m(square, 0.00138825143~, high), low), r);
        }

        %power(k) { return `exponent(k + 12583039); }

        %exponential(x) {
        $y = `atleast(-87.33654~, x);
        $k = `nearest(y);
        return x < y ? 0 : (1 + `series(y, k)) * `power(k);
        }

        %softmax(+z,#units) {
        ^largest = z[0];
        @j(1,units) { largest = z[j] > largest ? z[j] : largest; }
        @j(0,units) { z[j] = `exponential(z[j] - largest); }
        ^sum = z[0];
        @j(1,units) { sum += z[j]; }
        @j(0,units) { z[j] /= sum; }
        }

        %sign(z) { return z > 0 ? 1 : z < 0 ? -1 : z; }

        %logistic(z) {
        $x = `atleast(-87.33654~, -`magnitude(z));
        $k = `nearest(x);
        $p = `series(x, k);
        $u = `power(k);
        $e = z < x ? 0 : `m(p, u, u);
        $sum = `m(p, u, 1 + u);
        $q = (z < 0 ? e : 1) / sum;
        return `m(q, (sum - 1) - e, q);
        }

        %tanh(z) {
        $x = `atleast(-20, -2 * `magnitude(z));
        $k = `nearest(x);
        $p = `series(x, k);
        $u = `power(k);
        $sum = `m(u, p, 1 + u);
        $q = `m(u, p, u - 1) / sum;
        $excess = (sum - (1 + u)) - u * p;
        return `signed(`fused ? q : `m(q, excess * (1.5~ - 0.5~ * sum), q), z);
        }

        %leaky_relu(z) { return z < 0 ? 0.01~ * z : z; }

        %elu(z) {
        $x = `atleast(-80, z < 0 ? z : 0);
        $k = `nearest(x);
        $u = `power(k);
        $e = `m(u, `series(x, k), u - 1);
        return z < 0 ? e : z;
        }

        %softsign(z) {
        $t = `atmost(3.40282347e+38~, `magnitude(z));
        return `signed(t / (1 + t), z);
        }

        %hard_sigmoid(z) { return `relu6(z + 3) * 0.166666672~; }

        %hard_swish(z) { return `atleast(-3, z) * (`relu6(z + 3) / 6); }

        %softplus(z) { return z > 30 ? z : `narrow(log1p(exp(`wide(z)))); }

        %silu(z) { return `narrow(`wide(`atleast(-200, z)) / (1 + exp(-`wide(z)))); }

        %gelu(z) { return `narrow(0.5 * `wide(`atleast(-20, z)) * erfc(`wide(z) * -0.7071067811865476)); }

        %selu(z) {
        $e = `narrow(1.7580993408473766 * expm1(`wide(z < 0 ? z : 0)));
        $above = 1.05070099~ * `atmost(3.23862195e+38~, z);
        return z < 0 ? e : z > 3.40282347e+38~ ? z : above;
        }

        %mish(z) {
        return z > 30 ? z : `narrow(`wide(`atleast(-200, z)) / (1 + 2 / (exp(`wide(z)) * (exp(`wide(z)) + 2))));
        }

        %gaussian(z) { return `narrow(exp(-`wide(z) * `wide(z))); }

        %sine(z) { return `narrow(sin(`wide(z))); }


        """
    }
}
