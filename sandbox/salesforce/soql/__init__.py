"""The SOQL subset that a CRM reader needs: parse, bind to the org's objects, run over the rows."""
