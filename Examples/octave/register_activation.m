% Makes an activation known by a name. f and derivative are functions of a vector.
function register_activation (name, f, derivative)
  backprop_call ("register", name, f, derivative);
end
