"""Read: tables of real firms and ties, recognised, cleaned and made into a scenario that starts from them."""
