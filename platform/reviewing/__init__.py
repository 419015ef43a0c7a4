"""The reach of people in the administration: of superusers everything, of reviewers what was given to them."""
