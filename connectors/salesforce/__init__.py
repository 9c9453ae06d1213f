"""Salesforce: read by composite SOQL, write the tier by collections, through simple-salesforce's transport."""
