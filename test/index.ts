/** With which suites does a third party prove what it plugs in? */
export { autoBackfillerSuite, type AutoBackfillerClaims } from "./suites/autoBackfillerSuite.ts"
export { coordinatorSuite, type CoordinatorClaims } from "./suites/coordinatorSuite.ts"
export { type DataSourceClaims, dataSourceSuite } from "./suites/dataSourceSuite.ts"
