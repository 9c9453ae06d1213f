"""A small page on which people read an account in a CRM and edit its tier."""
