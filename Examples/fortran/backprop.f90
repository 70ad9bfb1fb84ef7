! The functions of backprop.h that this example calls. Arrays of rows are (columns, rows): one column of Fortran is one row of
! the library.
module backprop
  use, intrinsic :: iso_c_binding
  implicit none
  private
  public :: network, register_activation, create, load

  integer, parameter, public :: single = c_float

  abstract interface
    pure subroutine forward_interface(z, a, stat)
      import :: single
      real(single), intent(in) :: z(:)
      real(single), intent(out) :: a(:)
      integer, intent(out) :: stat
    end subroutine
    pure subroutine backward_interface(z, da, dz, stat)
      import :: single
      real(single), intent(in) :: z(:), da(:)
      real(single), intent(out) :: dz(:)
      integer, intent(out) :: stat
    end subroutine
  end interface
  public :: forward_interface, backward_interface

  type :: activation
    procedure(forward_interface), pointer, nopass :: forward
    procedure(backward_interface), pointer, nopass :: backward
  end type

  ! A network. Each procedure sets stat, 0 for success, and errmsg.
  type :: network
    private
    type(c_ptr) :: handle = c_null_ptr
    integer :: inputs = 0, outputs = 0
  contains
    procedure :: set_activation
    procedure :: train
    procedure :: predict
    procedure :: save => save_network
    final :: free
  end type

  interface
    function bp_last_error_message() bind(c) result(text)
      import :: c_ptr
      type(c_ptr) :: text
    end function
    function bp_activation_register_vector(name, forward, backward, user_data, destroy) bind(c) result(status)
      import :: c_char, c_funptr, c_int32_t, c_ptr
      character(c_char), intent(in) :: name(*)
      type(c_funptr), value :: forward, backward, destroy
      type(c_ptr), value :: user_data
      integer(c_int32_t) :: status
    end function
    function bp_network_create(sizes, count, seed, handle) bind(c) result(status)
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      integer(c_size_t), intent(in) :: sizes(*)
      integer(c_size_t), value :: count
      integer(c_int64_t), value :: seed
      type(c_ptr), intent(out) :: handle
      integer(c_int32_t) :: status
    end function
    subroutine bp_network_free(handle) bind(c)
      import :: c_ptr
      type(c_ptr), value :: handle
    end subroutine
    function bp_network_layer_count(handle, count) bind(c) result(status)
      import :: c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: handle
      integer(c_size_t), intent(out) :: count
      integer(c_int32_t) :: status
    end function
    function bp_network_layer_size(handle, layer, size) bind(c) result(status)
      import :: c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: handle
      integer(c_size_t), value :: layer
      integer(c_size_t), intent(out) :: size
      integer(c_int32_t) :: status
    end function
    function bp_network_set_activation(handle, layer, name) bind(c) result(status)
      import :: c_char, c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: handle
      integer(c_size_t), value :: layer
      character(c_char), intent(in) :: name(*)
      integer(c_int32_t) :: status
    end function
    function bp_network_train_minibatch(handle, inputs, targets, rows, rate, loss) bind(c) result(status)
      import :: c_float, c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: handle
      real(c_float), intent(in) :: inputs(*), targets(*)
      integer(c_size_t), value :: rows
      real(c_float), value :: rate
      real(c_float), intent(out) :: loss
      integer(c_int32_t) :: status
    end function
    function bp_network_predict(handle, inputs, rows, outputs) bind(c) result(status)
      import :: c_float, c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: handle
      real(c_float), intent(in) :: inputs(*)
      integer(c_size_t), value :: rows
      real(c_float), intent(out) :: outputs(*)
      integer(c_int32_t) :: status
    end function
    function bp_network_save(handle, path) bind(c) result(status)
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: handle
      character(c_char), intent(in) :: path(*)
      integer(c_int32_t) :: status
    end function
    function bp_network_load(path, handle) bind(c) result(status)
      import :: c_char, c_int32_t, c_ptr
      character(c_char), intent(in) :: path(*)
      type(c_ptr), intent(out) :: handle
      integer(c_int32_t) :: status
    end function
    function strlen(text) bind(c) result(length)
      import :: c_ptr, c_size_t
      type(c_ptr), value :: text
      integer(c_size_t) :: length
    end function
  end interface

contains

  ! Makes an activation known by a name, until the program ends.
  subroutine register_activation(name, forward, backward, stat, errmsg)
    character(*), intent(in) :: name
    procedure(forward_interface) :: forward
    procedure(backward_interface) :: backward
    integer, intent(out) :: stat
    character(:), allocatable, intent(inout) :: errmsg
    type(activation), pointer :: kept
    allocate (kept)
    kept%forward => forward
    kept%backward => backward
    stat = bp_activation_register_vector(name // c_null_char, c_funloc(call_forward), c_funloc(call_backward), &
      c_loc(kept), c_null_funptr)
    if (stat /= 0) deallocate (kept)
    call message(stat, errmsg)
  end subroutine

  function call_forward(z, a, rows, columns, user_data) bind(c) result(status)
    type(c_ptr), value :: z, a, user_data
    integer(c_size_t), value :: rows, columns
    integer(c_int32_t) :: status
    real(single), pointer :: sums(:), outputs(:)
    type(activation), pointer :: called
    call c_f_pointer(z, sums, [rows * columns])
    call c_f_pointer(a, outputs, [rows * columns])
    call c_f_pointer(user_data, called)
    call called%forward(sums, outputs, status)
  end function

  function call_backward(z, a, da, dz, rows, columns, user_data) bind(c) result(status)
    type(c_ptr), value :: z, a, da, dz, user_data
    integer(c_size_t), value :: rows, columns
    integer(c_int32_t) :: status
    real(single), pointer :: sums(:), above(:), below(:)
    type(activation), pointer :: called
    call c_f_pointer(z, sums, [rows * columns])
    call c_f_pointer(da, above, [rows * columns])
    call c_f_pointer(dz, below, [rows * columns])
    call c_f_pointer(user_data, called)
    call called%backward(sums, above, below, status)
  end function

  subroutine create(made, sizes, seed, stat, errmsg)
    type(network), intent(out) :: made
    integer, intent(in) :: sizes(:), seed
    integer, intent(out) :: stat
    character(:), allocatable, intent(inout) :: errmsg
    stat = bp_network_create(int(sizes, c_size_t), size(sizes, kind=c_size_t), int(seed, c_int64_t), made%handle)
    call message(stat, errmsg)
    if (stat == 0) call measure(made)
  end subroutine

  subroutine load(made, path, stat, errmsg)
    type(network), intent(out) :: made
    character(*), intent(in) :: path
    integer, intent(out) :: stat
    character(:), allocatable, intent(inout) :: errmsg
    stat = bp_network_load(path // c_null_char, made%handle)
    call message(stat, errmsg)
    if (stat == 0) call measure(made)
  end subroutine

  subroutine measure(made)
    type(network), intent(inout) :: made
    integer(c_size_t) :: count, size
    if (bp_network_layer_size(made%handle, 0_c_size_t, size) == 0) made%inputs = int(size)
    if (bp_network_layer_count(made%handle, count) /= 0) return
    if (bp_network_layer_size(made%handle, count - 1, size) == 0) made%outputs = int(size)
  end subroutine

  subroutine free(self)
    type(network), intent(inout) :: self
    call bp_network_free(self%handle)
    self%handle = c_null_ptr
  end subroutine

  subroutine set_activation(self, layer, name, stat, errmsg)
    class(network), intent(inout) :: self
    integer, intent(in) :: layer
    character(*), intent(in) :: name
    integer, intent(out) :: stat
    character(:), allocatable, intent(inout) :: errmsg
    stat = bp_network_set_activation(self%handle, int(layer, c_size_t), name // c_null_char)
    call message(stat, errmsg)
  end subroutine

  ! One step on all rows.
  subroutine train(self, inputs, targets, rate, stat, errmsg)
    class(network), intent(inout) :: self
    real(single), intent(in), contiguous :: inputs(:, :), targets(:, :)
    real(single), intent(in) :: rate
    integer, intent(out) :: stat
    character(:), allocatable, intent(inout) :: errmsg
    real(single) :: loss
    call check_shape(size(inputs, 1), self%inputs, stat, errmsg)
    if (stat == 0) call check_shape(size(targets, 1), self%outputs, stat, errmsg)
    if (stat == 0) call check_shape(size(targets, 2), size(inputs, 2), stat, errmsg)
    if (stat /= 0) return
    stat = bp_network_train_minibatch(self%handle, inputs, targets, size(inputs, 2, c_size_t), rate, loss)
    call message(stat, errmsg)
  end subroutine

  subroutine predict(self, inputs, outputs, stat, errmsg)
    class(network), intent(in) :: self
    real(single), intent(in), contiguous :: inputs(:, :)
    real(single), allocatable, intent(out) :: outputs(:, :)
    integer, intent(out) :: stat
    character(:), allocatable, intent(inout) :: errmsg
    call check_shape(size(inputs, 1), self%inputs, stat, errmsg)
    if (stat /= 0) return
    allocate (outputs(self%outputs, size(inputs, 2)))
    stat = bp_network_predict(self%handle, inputs, size(inputs, 2, c_size_t), outputs)
    call message(stat, errmsg)
  end subroutine

  subroutine save_network(self, path, stat, errmsg)
    class(network), intent(in) :: self
    character(*), intent(in) :: path
    integer, intent(out) :: stat
    character(:), allocatable, intent(inout) :: errmsg
    stat = bp_network_save(self%handle, path // c_null_char)
    call message(stat, errmsg)
  end subroutine

  subroutine check_shape(columns, expected, stat, errmsg)
    integer, intent(in) :: columns, expected
    integer, intent(out) :: stat
    character(:), allocatable, intent(inout) :: errmsg
    character(64) :: text
    stat = merge(0, -104, columns == expected) ! BP_ERROR_MISMATCH
    if (stat == 0) return
    write (text, '(i0, a, i0)') columns, ' numbers are not rows of ', expected
    errmsg = trim(text)
  end subroutine

  ! errmsg is set if stat is an error.
  subroutine message(stat, errmsg)
    integer, intent(in) :: stat
    character(:), allocatable, intent(inout) :: errmsg
    character(kind=c_char), pointer :: bytes(:)
    type(c_ptr) :: text
    integer :: i
    if (stat >= 0) return
    text = bp_last_error_message()
    call c_f_pointer(text, bytes, [strlen(text)])
    errmsg = repeat(' ', size(bytes))
    do i = 1, size(bytes)
      errmsg(i:i) = bytes(i)
    end do
  end subroutine

end module
