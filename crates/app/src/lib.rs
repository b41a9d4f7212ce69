//! The use cases with their authorisation, shared by the API, the pages and the command line.
