# Networks for Ruby. Arrays are row by row.
require "fiddle/import"

module Backprop
  # A call of the library that failed.
  class Error < StandardError
    attr_reader :status

    def initialize(status, message)
      super(message)
      @status = status
    end
  end

  # The functions of backprop.h that this example calls.
  module C
    extend Fiddle::Importer
    dlload "libbackprop.so"
    extern "const char *bp_last_error_message()"
    extern "int bp_activation_register_vector(const char *, void *, void *, void *, void *)"
    extern "int bp_network_create(void *, size_t, unsigned long long, void *)"
    extern "int bp_network_load(const char *, void *)"
    extern "int bp_network_layer_count(void *, void *)"
    extern "int bp_network_layer_size(void *, size_t, void *)"
    extern "int bp_network_set_activation(void *, size_t, const char *)"
    extern "int bp_network_train_minibatch(void *, void *, void *, size_t, float, void *)"
    extern "int bp_network_predict(void *, void *, size_t, void *)"
    extern "int bp_network_save(void *, const char *)"
    FREE = handler["bp_network_free"]
  end

  @kept = [] # closures, which the library can call until the process ends

  class << self
    # Raises what a callback raised during the call, or the error of the call.
    def check(status)
      raised, Thread.current[:backprop] = Thread.current[:backprop], nil
      raise raised if raised
      raise Error.new(status, C.bp_last_error_message.to_s) if status < 0
    end

    # Makes an activation of one number known by a name.
    def register(name, function, derivative)
      forward = closure(5) do |z, a, rows, columns, _|
        write(a, read(z, rows * columns).map(&function))
      end
      backward = closure(7) do |z, _, da, dz, rows, columns, _|
        slopes = read(z, rows * columns).map(&derivative)
        write(dz, read(da, rows * columns).zip(slopes).map { |gradient, slope| gradient * slope })
      end
      check(C.bp_activation_register_vector(name, forward, backward, nil, nil))
    end

    private

    # A C function of addresses and sizes. No exception passes through the library.
    def closure(count)
      types = [Fiddle::TYPE_VOIDP] * (count - 3) + [Fiddle::TYPE_SIZE_T] * 2 + [Fiddle::TYPE_VOIDP]
      @kept << Fiddle::Closure::BlockCaller.new(Fiddle::TYPE_INT, types) do |*arguments|
        yield(*arguments)
        0
      rescue Exception => exception
        Thread.current[:backprop] = exception
        1
      end
      @kept.last
    end

    def read(address, count) = address[0, 4 * count].unpack("f*")

    def write(address, numbers)
      address[0, 4 * numbers.size] = numbers.pack("f*")
    end
  end

  class Network
    # A network with random weights.
    def self.create(*sizes, seed: 1)
      new { |out| C.bp_network_create(sizes.pack("J*"), sizes.size, seed, out) }
    end

    def self.load(path) = new { |out| C.bp_network_load(path, out) }

    def initialize
      out = Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE)
      Backprop.check(yield(out))
      @handle = Fiddle::Pointer.new(out.ptr.to_i, 0, C::FREE)
    end

    def set_activation(layer, name) = Backprop.check(C.bp_network_set_activation(@handle, layer, name))

    # One step on all rows.
    def train(inputs, targets, rate)
      rows = rows(inputs, size(0))
      raise ArgumentError, "inputs and targets differ in rows" if rows(targets, outputs) != rows

      Backprop.check(C.bp_network_train_minibatch(@handle, inputs.pack("f*"), targets.pack("f*"), rows, rate, nil))
    end

    def predict(inputs)
      rows = rows(inputs, size(0))
      outputs = "\0" * (4 * rows * self.outputs)
      Backprop.check(C.bp_network_predict(@handle, inputs.pack("f*"), rows, outputs))
      outputs.unpack("f*")
    end

    def save(path) = Backprop.check(C.bp_network_save(@handle, path))

    private

    def number
      out = [0].pack("J")
      Backprop.check(yield(out))
      out.unpack1("J")
    end

    def size(layer) = number { |out| C.bp_network_layer_size(@handle, layer, out) }

    def outputs = size(number { |out| C.bp_network_layer_count(@handle, out) } - 1)

    def rows(numbers, columns)
      raise ArgumentError, "#{numbers.size} numbers are not rows of #{columns}" unless (numbers.size % columns).zero?

      numbers.size / columns
    end
  end
end
