% A network. Matrices have one row for each row of data.
classdef Network < handle
  properties (Access = private)
    number
  end

  methods
    function self = Network (number)
      self.number = number;
    end

    function delete (self)
      backprop_call ("delete", self.number);
    end

    function set_activation (self, layer, name)
      backprop_call ("set_activation", self.number, layer, name);
    end

    % One step on all rows.
    function train (self, inputs, targets, rate)
      backprop_call ("train", self.number, inputs, targets, rate);
    end

    function outputs = predict (self, inputs)
      outputs = backprop_call ("predict", self.number, inputs);
    end

    function save (self, path)
      backprop_call ("save", self.number, path);
    end
  end

  methods (Static)
    function network = create (sizes, seed)
      network = Network (backprop_call ("create", sizes, seed));
    end

    function network = load (path)
      network = Network (backprop_call ("load", path));
    end
  end
end
