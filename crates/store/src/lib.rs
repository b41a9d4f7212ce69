//! What is kept: traits whose methods are whole business transactions.
