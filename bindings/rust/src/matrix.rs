use crate::call::{error, Result};
use crate::{c, status};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::size_of;
use std::ptr::null;

/// A type of numbers that a [`Matrix`] can have: `f32`, `f64`, `i8`, `u8` or [`Half`].
pub trait Number: Copy + sealed::Sealed {
    #[doc(hidden)]
    const TYPE: i32;
}

/// A type of numbers that predictions can have: `f32` or `f64`.
pub trait Output: Number + Default {}

/// The bits of an IEEE 754 binary16 number.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Half(pub u16);

mod sealed {
    pub trait Sealed {}
}

macro_rules! numbers {
    ($($name:ty = $number:ident),*) => {
        $(impl sealed::Sealed for $name {}
        impl Number for $name {
            const TYPE: i32 = c::$number;
        })*
    };
}
numbers!(f32 = BP_FLOAT, f64 = BP_DOUBLE, Half = BP_HALF, i8 = BP_INT8, u8 = BP_UINT8);
impl Output for f32 {}
impl Output for f64 {}

/// The order of the numbers of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    RowMajor,
    ColumnMajor,
}

/// Rows of any type and layout, which the library reads in place. The functions whose names end in `_rows` take them.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    pub(crate) rows: c::bp_rows,
    borrowed: PhantomData<&'a [f32]>,
}

// A matrix is its slices, which are only read.
unsafe impl Send for Matrix<'_> {}
unsafe impl Sync for Matrix<'_> {}

impl<'a> Matrix<'a> {
    /// All numbers of a slice.
    pub fn new<N: Number>(values: &'a [N], columns: usize, layout: Layout) -> Result<Self> {
        if columns == 0 || values.len() % columns != 0 {
            return error(status::MISMATCH, format!("{} numbers are not rows of {}", values.len(), columns));
        }
        let (rows, wide, high) = (values.len() / columns, columns as isize, (values.len() / columns) as isize);
        match layout {
            Layout::RowMajor => Self::strided(values, 0, rows, columns, wide, 1),
            Layout::ColumnMajor => Self::strided(values, 0, rows, columns, 1, high),
        }
    }

    /// A part of a slice: number (r, c) is `values[first + r * row_stride + c * column_stride]`.
    pub fn strided<N: Number>(
        values: &'a [N],
        first: usize,
        rows: usize,
        columns: usize,
        row_stride: isize,
        column_stride: isize,
    ) -> Result<Self> {
        // The smallest and the largest index are those of two of the four corners.
        let last = |count: usize, stride: isize| (count.max(1) as i128 - 1) * stride as i128;
        let (down, across) = (last(rows, row_stride), last(columns, column_stride));
        let least = first as i128 + down.min(0) + across.min(0);
        let greatest = first as i128 + down.max(0) + across.max(0);
        let is_empty = rows == 0 || columns == 0;
        if !is_empty && (least < 0 || greatest >= values.len() as i128) {
            return error(status::MISMATCH, format!("a matrix of {rows} x {columns} is not within {} numbers", values.len()));
        }
        let size = size_of::<N>() as isize;
        // Two strides of 0 would mean a matrix without gaps. A single number needs no stride.
        let repeats = row_stride == 0 && column_stride == 0 && rows.max(columns) > 1;
        if repeats {
            return error(status::INVALID_VALUE, "both strides are 0");
        }
        let values = if is_empty { values.as_ptr() } else { &values[first] };
        let rows = c::bp_rows {
            struct_size: size_of::<c::bp_rows>() as u32,
            type_: N::TYPE,
            values: values as *const c_void,
            rows,
            columns,
            row_stride: row_stride * size,
            column_stride: column_stride * size,
            scale: 0.0,
            zero_point: 0,
            row_weights: null(),
        };
        Ok(Matrix { rows, borrowed: PhantomData })
    }

    /// For `i8` and `u8`: the numbers are `scale * (stored - zero_point)`.
    pub fn quantized(mut self, scale: f32, zero_point: i32) -> Self {
        (self.rows.scale, self.rows.zero_point) = (scale, zero_point);
        self
    }

    /// For targets: the weight of each row.
    pub fn weighted(mut self, row_weights: &'a [f32]) -> Result<Self> {
        if row_weights.len() != self.rows.rows {
            return error(status::MISMATCH, format!("{} weights are not for {} rows", row_weights.len(), self.rows.rows));
        }
        self.rows.row_weights = row_weights.as_ptr();
        Ok(self)
    }

    pub fn rows(&self) -> usize {
        self.rows.rows
    }

    pub fn columns(&self) -> usize {
        self.rows.columns
    }
}

impl std::fmt::Debug for Matrix<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Matrix({} x {})", self.rows.rows, self.rows.columns)
    }
}
