"""Adverts of sites between control domains over BGP."""
