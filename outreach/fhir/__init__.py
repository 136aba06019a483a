"""Patients, readings and calls as FHIR R4: what files and the API tell, and the API itself."""
