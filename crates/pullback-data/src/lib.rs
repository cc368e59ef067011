//! Readers of data files for Pullback.
