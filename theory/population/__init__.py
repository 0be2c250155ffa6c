from emmd.theory.population.spectrum.spectrum import PopulationSpectrum, population

__all__ = ["PopulationSpectrum", "population"]
