<?php
declare(strict_types=1);

/** The library, and a call of it. */
final class Backprop
{
    private static ?FFI $c = null;
    private static ?Throwable $thrown = null;

    /** Loads the library. $declarations: the path of backprop_ffi.h. */
    public static function load(string $declarations): void
    {
        self::$c = FFI::cdef(file_get_contents($declarations), "libbackprop.so");
    }

    public static function c(): FFI
    {
        return self::$c;
    }

    /** Throws what a callback threw during the call, or the error of the call. */
    public static function check(int $status): void
    {
        [$thrown, self::$thrown] = [self::$thrown, null];
        if ($thrown !== null) throw $thrown;
        if ($status < 0) throw new BackpropException(self::$c->bp_last_error_message(), $status);
    }

    /** Makes an activation of one number known by a name. PHP keeps closures that are passed to C until the process ends. */
    public static function register(string $name, callable $function, callable $derivative): void
    {
        $forward = self::guarded(function ($z, $a, int $count) use ($function) {
            for ($i = 0; $i < $count; $i++) $a[$i] = $function($z[$i]);
        });
        $backward = self::guarded(function ($z, $da, $dz, int $count) use ($derivative) {
            for ($i = 0; $i < $count; $i++) $dz[$i] = $da[$i] * $derivative($z[$i]);
        });
        self::check(self::$c->bp_activation_register_vector(
            $name,
            fn($z, $a, $rows, $columns, $userData) => $forward($z, $a, $rows * $columns),
            fn($z, $a, $da, $dz, $rows, $columns, $userData) => $backward($z, $da, $dz, $rows * $columns),
            null,
            null,
        ));
    }

    /** PHP ends the process when an exception leaves a callback. */
    private static function guarded(callable $body): callable
    {
        return function (...$arguments) use ($body): int {
            try {
                $body(...$arguments);
                return 0;
            } catch (Throwable $thrown) {
                self::$thrown = $thrown;
                return 1;
            }
        };
    }

    /** A C array of these numbers. */
    public static function numbers(string $type, array $values): FFI\CData
    {
        $array = self::$c->new($type . "[" . max(1, count($values)) . "]");
        foreach (array_values($values) as $i => $value) $array[$i] = $value;
        return $array;
    }
}

/** A call that failed. getCode() is its status. */
final class BackpropException extends RuntimeException
{
}

/** A network. Arrays are row by row. */
final class Network
{
    private function __construct(private FFI\CData $handle)
    {
    }

    /** A network with random weights. */
    public static function create(array $sizes, int $seed): self
    {
        $layers = Backprop::numbers("size_t", $sizes);
        return self::made(fn($out) => Backprop::c()->bp_network_create($layers, count($sizes), $seed, $out));
    }

    public static function load(string $path): self
    {
        return self::made(fn($out) => Backprop::c()->bp_network_load($path, $out));
    }

    private static function made(callable $make): self
    {
        $handle = Backprop::c()->new("bp_network *");
        Backprop::check($make(FFI::addr($handle)));
        return new self($handle);
    }

    public function __destruct()
    {
        Backprop::c()->bp_network_free($this->handle);
    }

    public function setActivation(int $layer, string $name): void
    {
        Backprop::check(Backprop::c()->bp_network_set_activation($this->handle, $layer, $name));
    }

    /** One step on all rows. */
    public function train(array $inputs, array $targets, float $learningRate): void
    {
        $rows = self::rows($inputs, $this->size(0));
        if (self::rows($targets, $this->outputs()) !== $rows) {
            throw new LengthException("inputs and targets differ in rows");
        }
        [$x, $y] = [Backprop::numbers("float", $inputs), Backprop::numbers("float", $targets)];
        Backprop::check(Backprop::c()->bp_network_train_minibatch($this->handle, $x, $y, $rows, $learningRate, null));
    }

    public function predict(array $inputs): array
    {
        $rows = self::rows($inputs, $this->size(0));
        $outputs = array_fill(0, $rows * $this->outputs(), 0.0);
        [$x, $y] = [Backprop::numbers("float", $inputs), Backprop::numbers("float", $outputs)];
        Backprop::check(Backprop::c()->bp_network_predict($this->handle, $x, $rows, $y));
        foreach (array_keys($outputs) as $i) $outputs[$i] = $y[$i];
        return $outputs;
    }

    public function save(string $path): void
    {
        Backprop::check(Backprop::c()->bp_network_save($this->handle, $path));
    }

    private function size(int $layer): int
    {
        $size = Backprop::c()->new("size_t");
        Backprop::check(Backprop::c()->bp_network_layer_size($this->handle, $layer, FFI::addr($size)));
        return $size->cdata;
    }

    private function outputs(): int
    {
        $layers = Backprop::c()->new("size_t");
        Backprop::check(Backprop::c()->bp_network_layer_count($this->handle, FFI::addr($layers)));
        return $this->size($layers->cdata - 1);
    }

    private static function rows(array $numbers, int $columns): int
    {
        if (count($numbers) % $columns === 0) return intdiv(count($numbers), $columns);
        throw new LengthException(count($numbers) . " numbers are not rows of $columns");
    }
}
