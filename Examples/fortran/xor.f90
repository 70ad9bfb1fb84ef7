! A network learns exclusive or with a custom activation, the absolute value:
!     gfortran backprop.f90 xor.f90 -lbackprop
module activations
  use backprop, only: single
  implicit none

contains

  pure subroutine absolute(z, a, stat)
    real(single), intent(in) :: z(:)
    real(single), intent(out) :: a(:)
    integer, intent(out) :: stat
    a = abs(z)
    stat = 0
  end subroutine

  pure subroutine absolute_slope(z, da, dz, stat)
    real(single), intent(in) :: z(:), da(:)
    real(single), intent(out) :: dz(:)
    integer, intent(out) :: stat
    dz = merge(-da, da, z < 0)
    stat = 0
  end subroutine

  pure subroutine no_slope(z, da, dz, stat)
    real(single), intent(in) :: z(:), da(:)
    real(single), intent(out) :: dz(:)
    integer, intent(out) :: stat
    dz = 0 * z * da
    stat = 7 ! the call fails, and its message has this number
  end subroutine

end module

program xor
  use activations
  use backprop
  implicit none
  real(single), parameter :: inputs(2, 4) = reshape([real(single) :: 0, 0, 0, 1, 1, 0, 1, 1], [2, 4])
  real(single), parameter :: targets(1, 4) = reshape([real(single) :: 0, 1, 1, 0], [1, 4])
  real(single), allocatable :: outputs(:, :), again(:, :)
  type(network) :: net, loaded
  character(:), allocatable :: errmsg
  integer :: epoch, i, stat

  call register_activation('absolute', absolute, absolute_slope, stat, errmsg)
  if (stat == 0) call register_activation('broken', absolute, no_slope, stat, errmsg)
  if (stat == 0) call create(net, [2, 4, 1], 1, stat, errmsg)
  if (stat == 0) call net%set_activation(1, 'absolute', stat, errmsg)
  do epoch = 1, 2000
    if (stat == 0) call net%train(inputs, targets, 0.5_single, stat, errmsg)
  end do
  if (stat == 0) call net%predict(inputs, outputs, stat, errmsg)
  if (stat /= 0) error stop errmsg
  do i = 1, 4
    print '(i0, a, i0, a, f4.2)', nint(inputs(1, i)), ' xor ', nint(inputs(2, i)), ' = ', outputs(1, i)
  end do

  call net%set_activation(1, 'broken', stat, errmsg)
  call net%train(inputs, targets, 0.5_single, stat, errmsg)
  print '(2a)', 'a failing callback: ', errmsg
  call net%set_activation(1, 'absolute', stat, errmsg)
  call net%predict(reshape([real(single) :: 0, 0, 1], [3, 1]), again, stat, errmsg)
  print '(2a)', 'a wrong size: ', errmsg
  call load(loaded, 'none.safetensors', stat, errmsg)
  print '(2a)', 'a missing file: ', errmsg

  call net%save('xor.safetensors', stat, errmsg)
  if (stat == 0) call load(loaded, 'xor.safetensors', stat, errmsg)
  if (stat == 0) call loaded%predict(inputs, again, stat, errmsg)
  if (stat /= 0) error stop errmsg
  print '(2a)', 'saved and loaded, it predicts the same: ', merge('yes', 'no ', all(abs(again - outputs) <= 0))
end program
