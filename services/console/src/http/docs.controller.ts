import { Controller, Get, Header, Inject } from '@nestjs/common';
import { z } from 'zod';
import { Needs } from '../access/needs.js';
import { Describe } from './describe.js';
import { DOCUMENT, type ApiDocument } from './tokens.js';
import { STYLE_PATH } from './docs-page.js';

const html = { types: ['text/html'], what: 'a page without scripts' } as const;

/** The API about itself: says nothing of the installation, so it asks for no token. */
@Controller('api')
export class DocsController {
  constructor(@Inject(DOCUMENT) private readonly document: ApiDocument) {}

  @Get('v1/openapi.json')
  @Needs('anyone')
  @Describe({ summary: 'The API as OpenAPI 3.1.', answers: { 200: z.record(z.string(), z.unknown()) } })
  openApi(): Record<string, unknown> {
    return this.document.json;
  }

  @Get('docs')
  @Needs('anyone')
  @Describe({ summary: 'The API as a page for people.', answers: { 200: html } })
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
  page(): string {
    return this.document.page;
  }

  @Get(STYLE_PATH)
  @Needs('anyone')
  @Describe({ summary: 'The style sheet of that page.', answers: { 200: { types: ['text/css'], what: 'a style sheet' } } })
  @Header('Content-Type', 'text/css; charset=utf-8')
  style(): string {
    return this.document.style;
  }
}
