//! The contract, row by row.
