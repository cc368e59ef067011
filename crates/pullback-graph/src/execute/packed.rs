//! Residents that do not change, packed once for the products that they are right operands of.

use super::Machine;
use super::step::{Matrix, Step};
use crate::plan::Plan;
use pullback_kernels::{Operand, PackedOperand, Precision, Real};
use std::sync::Arc;

/// Packed residents. Executors of plans for any number of rows can share them, on several threads.
///
/// Packing is two thirds of the time in which one row of 784-512-512-10 is predicted, and a tenth of that of 256 rows,
/// so that it pays to do it once for every product. `bench/predict` times what is left.
#[derive(Debug)]
pub struct Packed<T> {
    /// The resident, whether it is read as its transpose, and what it was packed to.
    operands: Vec<(usize, bool, Arc<PackedOperand<T>>)>,
}

impl<T: Real> Packed<T> {
    /// Packs the residents that are right operands of a plan's products; none for products of reduced precision, which
    /// convert their operands.
    ///
    /// # Panics
    /// If `residents` are not as many or as large as the plan says.
    pub fn new(plan: &Plan, residents: &[impl AsRef<[T]>], machine: &Machine) -> Self {
        let mut packed = Self { operands: Vec::new() };
        if machine.precision != Precision::F32 {
            return packed;
        }
        for instruction in &plan.instructions {
            if let Some((resident, matrix)) = Step::<T>::new(instruction, |_| false).right_resident()
                && packed.find(resident, matrix).is_none()
            {
                let operand: Operand<'_, T> = matrix.of(residents[resident].as_ref());
                let operand = Arc::new(PackedOperand::new(operand, machine.isa));
                packed.operands.push((resident, matrix.is_transposed, operand));
            }
        }
        packed
    }

    fn find(&self, resident: usize, matrix: Matrix) -> Option<&Arc<PackedOperand<T>>> {
        let is_it = |operand: &&(usize, bool, _)| (operand.0, operand.1) == (resident, matrix.is_transposed);
        self.operands.iter().find(is_it).map(|(_, _, operand)| operand)
    }

    /// Lets a step multiply by what was packed, if it multiplies by one of the residents.
    pub(super) fn give(&self, step: &mut Step<T>) {
        let found = step.right_resident().and_then(|(resident, matrix)| self.find(resident, matrix));
        if let Some(operand) = found {
            step.take_packed(Arc::clone(operand));
        }
    }
}
